import type { Digest } from '../../lib/digest.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { definitionDigest } from './definition.ts';
import { declaredName, PINNED_KINDS, readPinKey } from './pinned-kind.ts';

/** The agreed definition of a feature, or the mark that its record is corrupt, which blocks the feature. */
export type Pin =
  | { readonly kind: 'agreed'; readonly digest: Digest; readonly definition: JsonObject }
  | { readonly kind: 'corrupt' };

/** Pins by server, then by `pinKey` of kind and name; the key of a tool is its name. */
export type Pins = ReadonlyMap<string, ReadonlyMap<string, Pin>>;

/** A definition to pin. */
export interface NewPin {
  readonly server: string;
  /** Key of the pin, see `pinKey`. */
  readonly tool: string;
  readonly digest: Digest;
  readonly definition: JsonObject;
}

/** Makes the pin of a stored digest and definition: corrupt when they do not match each other or the key. */
export function pinOf(tool: string, digest: unknown, definition: unknown): Pin {
  const { kind, name } = readPinKey(tool);
  if (!isJsonObject(definition) || declaredName(PINNED_KINDS[kind], definition) !== name) return { kind: 'corrupt' };
  const computed = definitionDigest(definition);
  if (!('digest' in computed) || computed.digest !== digest) return { kind: 'corrupt' };
  return { kind: 'agreed', digest: computed.digest, definition };
}

/** Adds pins. A pin whose digest stays the same keeps its stored definition. */
export function withPins(pins: Pins, added: Iterable<NewPin>): Pins {
  const result = new Map(Array.from(pins, ([server, tools]) => [server, new Map(tools)]));
  for (const { server, tool, digest, definition } of added) {
    const tools = result.get(server) ?? new Map<string, Pin>();
    result.set(server, tools);
    const before = tools.get(tool);
    if (before?.kind === 'agreed' && before.digest === digest) continue;
    tools.set(tool, { kind: 'agreed', digest, definition });
  }
  return result;
}

/** Removes the pin of one tool, or all pins of a server. */
export function withoutPin(pins: Pins, server: string, tool?: string): Pins {
  const result = new Map(pins);
  const tools = new Map(pins.get(server));
  if (tool !== undefined) tools.delete(tool);
  if (tool === undefined || tools.size === 0) result.delete(server);
  else result.set(server, tools);
  return result;
}
