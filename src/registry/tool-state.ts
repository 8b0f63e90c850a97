import { ToolSchema } from '@modelcontextprotocol/core';
import { readMirrored } from '../domain/mirrored-arguments.ts';
import type { Digest } from '../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { definitionDigest } from './definition.ts';
import type { Pin } from './pin.ts';
import type { ServerSettings } from './server-settings.ts';
import { badToolName, NameCrowd } from './tool-name.ts';

/** What a schema room says of a tool. `contract` is the operator's schema for results. */
export type Admit = (
  definition: JsonObject,
  contract?: JsonObject,
) => { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

/**
 * How one tool stands. Only `active` ones can be called.
 * - `drifted`: it is not what was agreed
 * - `unpinned`: nobody agreed to it, and the server is pinned by the lock
 * - `pin-corrupt`: what was agreed cannot be trusted
 * - `quarantined`: its name, definition or schemas are not admitted
 * - `missing`: it was agreed to and the server no longer has it
 */
export type ToolStatus = 'active' | 'drifted' | 'unpinned' | 'pin-corrupt' | 'quarantined' | 'missing';

/** One tool of one server as it stands. */
export interface ToolState {
  readonly server: string;
  /** As the server calls it; at most 128 characters, what does not print escaped. */
  readonly tool: string;
  readonly status: ToolStatus;
  /** Why it is not active, in one sentence without full stop. */
  readonly reason?: string;
  readonly observed?: JsonObject;
  readonly observedDigest?: Digest;
  readonly agreed?: JsonObject;
  readonly agreedDigest?: Digest;
}

/** How the tools of one server stand, in the order in which the server lists them; then what it no longer has. */
export function toolStates(
  server: ServerSettings,
  tools: readonly JsonValue[],
  context: {
    readonly pinOf: (tool: string) => Pin | undefined;
    readonly pinned: readonly string[];
    readonly admit: Admit;
  },
): ToolState[] {
  const named = tools.slice(0, server.maxTools).map((definition) => ({ definition, name: nameOf(definition) }));
  const counts = new Map<string, number>();
  for (const { name } of named) counts.set(name, (counts.get(name) ?? 0) + 1);
  // What is refused for its letters cannot be mistaken for anything; what was agreed and went away still can.
  const wellNamed = Array.from(counts.keys()).filter((name) => badToolName(server.name, name) === undefined);
  const crowd = new NameCrowd([...wellNamed, ...context.pinned]);
  const states = named.map(({ definition, name }) => {
    const pin = context.pinOf(name);
    const base = { server: server.name, tool: printable(name), ...agreedOf(pin) };
    const unfit =
      (counts.get(name) ?? 0) > 1 ? 'the server lists two tools of this name' : badToolName(server.name, name);
    if (unfit !== undefined || !isJsonObject(definition)) {
      return quarantined(base, unfit ?? 'its definition is no object');
    }
    return fitState({ ...base, observed: definition }, { server, pin, crowd, context });
  });
  return [...states, ...missing(server.name, counts, context)];
}

interface Surroundings {
  readonly server: ServerSettings;
  readonly pin: Pin | undefined;
  readonly crowd: NameCrowd;
  readonly context: { readonly pinOf: (tool: string) => Pin | undefined; readonly admit: Admit };
}

type Observed = Omit<ToolState, 'status' | 'reason'> & { readonly observed: JsonObject };

function fitState(base: Observed, { server, pin, crowd, context }: Surroundings): ToolState {
  const computed = definitionDigest(base.observed);
  if (!('digest' in computed)) return quarantined(base, computed.unfit);
  const seen = { ...base, observedDigest: computed.digest };
  if (pin?.kind === 'corrupt') {
    return { ...seen, status: 'pin-corrupt', reason: 'what was agreed does not match its own digest' };
  }
  if (pin !== undefined && pin.digest !== computed.digest) {
    return { ...seen, status: 'drifted', reason: 'its definition is not the one that was agreed' };
  }
  // Of two that look alike the agreed one stays; of two newcomers neither can be told from the other.
  const alike = pin === undefined ? crowd.resembling(base.tool)[0] : undefined;
  if (alike !== undefined) return quarantined(seen, `its name looks like \`${printable(alike)}\``);
  const unfit = shapeProblem(base.observed);
  if (unfit !== undefined) return quarantined(seen, unfit);
  const admission = context.admit(base.observed, server.tools.get(base.tool)?.output);
  if (!admission.admitted) return quarantined(seen, admission.reason);
  const marks = readMirrored(isJsonObject(base.observed.inputSchema) ? base.observed.inputSchema : {});
  if ('invalid' in marks) return quarantined(seen, marks.invalid);
  if (pin === undefined && server.pin === 'lock') {
    return { ...seen, status: 'unpinned', reason: '`registry.lock` does not hold it' };
  }
  return { ...seen, status: 'active' };
}

function quarantined(base: Omit<ToolState, 'status'>, reason: string): ToolState {
  return { ...base, status: 'quarantined', reason };
}

function agreedOf(pin: Pin | undefined): Pick<ToolState, 'agreed' | 'agreedDigest'> {
  return pin?.kind === 'agreed' ? { agreed: pin.definition, agreedDigest: pin.digest } : {};
}

function missing(
  server: string,
  listed: ReadonlyMap<string, number>,
  context: { readonly pinOf: (tool: string) => Pin | undefined; readonly pinned: readonly string[] },
): ToolState[] {
  return Array.from(context.pinned)
    .filter((tool) => !listed.has(tool))
    .map((tool) => ({
      server,
      tool: printable(tool),
      status: 'missing',
      reason: 'it was agreed to and the server does not have it',
      ...agreedOf(context.pinOf(tool)),
    }));
}

/** What keeps a definition from being MCP's `Tool`, judged by the specification's own schema; undefined when nothing. */
function shapeProblem(definition: JsonObject): string | undefined {
  const known = shapes.get(definition);
  if (known !== undefined) return known.problem;
  const problem = judgeShape(definition);
  shapes.set(definition, { problem });
  return problem;
}

/** Definitions that were judged: a catalog is built anew far more often than a server lists something new. */
const shapes = new WeakMap<JsonObject, { readonly problem: string | undefined }>();

function judgeShape(definition: JsonObject): string | undefined {
  const judged = ToolSchema.safeParse(definition);
  if (!judged.success) {
    const place = judged.error.issues[0]?.path.join('.') ?? '';
    return `its definition is not that of an MCP tool (\`${printable(place)}\`)`;
  }
  if (judged.data.execution?.taskSupport === 'required') {
    return 'it can be called as a task only, and tasks are not governed';
  }
  return undefined;
}

function nameOf(definition: JsonValue): string {
  return isJsonObject(definition) && typeof definition.name === 'string' ? definition.name : '';
}

function printable(name: string): string {
  const escaped = name.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
  return escaped.length > 128 ? `${escaped.slice(0, 127)}…` : escaped;
}
