import type { Digest } from '../../lib/digest.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { definitionDigest } from './definition-digest.ts';
import { declaredName, PINNED_KINDS, readPinKey } from './pinned-kind.ts';

/** What was agreed of one definition, or that the record of it cannot be trusted, which blocks what it defines. */
export type Pin =
  | { readonly kind: 'agreed'; readonly digest: Digest; readonly definition: JsonObject }
  | { readonly kind: 'corrupt' };

/** Pins by server, then by what `pinKey` makes of kind and name: of a tool its name alone. */
export type Pins = ReadonlyMap<string, ReadonlyMap<string, Pin>>;

/** A definition to be pinned. */
export interface NewPin {
  readonly server: string;
  /** As `pinKey` makes it. */
  readonly tool: string;
  readonly digest: Digest;
  readonly definition: JsonObject;
}

/** The pin that a stored digest and definition make: corrupt when they do not belong to each other or to the tool. */
export function pinOf(tool: string, digest: unknown, definition: unknown): Pin {
  const { kind, name } = readPinKey(tool);
  if (!isJsonObject(definition) || declaredName(PINNED_KINDS[kind], definition) !== name) return { kind: 'corrupt' };
  const computed = definitionDigest(definition);
  if (!('digest' in computed) || computed.digest !== digest) return { kind: 'corrupt' };
  return { kind: 'agreed', digest: computed.digest, definition };
}

/** The pins with `added` in them. A pin whose digest stays the same keeps its old text. */
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

/** The pins without one tool, or without a whole server. */
export function withoutPin(pins: Pins, server: string, tool?: string): Pins {
  const result = new Map(pins);
  const tools = new Map(pins.get(server));
  if (tool !== undefined) tools.delete(tool);
  if (tool === undefined || tools.size === 0) result.delete(server);
  else result.set(server, tools);
  return result;
}
