import { type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { parseStrictJson } from '../../lib/json/strict-json.ts';
import { type Pin, type Pins, pinOf } from './pin.ts';
import { pinnedId, readPinKey } from './pinned-kind.ts';

/** Name of the lock within the registry directory. */
export const LOCK_FILE = 'registry.lock';

/** Largest lock accepted, in bytes. */
export const MAX_LOCK_BYTES = 67_108_864;

/** The keys of the lock; `docs/reference/registry.md` is generated from them. */
export const LOCK_KEYS: Readonly<Record<string, string>> = {
  version: 'Version of the format: 1',
  servers: 'The pinned definitions of each server, by server and by key of the pin',
  'servers.<name>.<tool>.digest':
    'SHA-256 of the canonical form (RFC 8785) of the definition, as `sha256:…`; `corrupt` for a pin that was corrupt when the lock was written',
  'servers.<name>.<tool>.definition': 'The definition as the server declared it, verbatim',
};

/** The pins of `registry.lock`, and a warning for each corrupt one. */
export interface Lock {
  readonly pins: Pins;
  readonly warnings: readonly Problem[];
}

/**
 * Reads the lock; undefined is a lock without pins. An entry that does not match its own digest is corrupt and blocks its
 * tool; the other entries stay valid.
 * @throws ProblemError when the file as a whole is not a lock.
 */
export function readLock(file: string, text: string | undefined): Lock {
  if (text === undefined) return { pins: new Map(), warnings: [] };
  const parsed = parseStrictJson(text, { maxBytes: MAX_LOCK_BYTES, maxDepth: 160, allowUnsafeNumbers: true });
  if (!parsed.ok)
    throw invalid(`${file}:${syntaxErrorLocation(text)}`, `the lock is not valid JSON (${parsed.problem})`);
  const root = parsed.value;
  if (!isJsonObject(root) || root.version !== 1 || !isJsonObject(root.servers)) {
    throw invalid(`${file}:1:1`, 'the lock must have `version: 1` and `servers`');
  }
  const pins = new Map<string, ReadonlyMap<string, Pin>>();
  const warnings: Problem[] = [];
  for (const [server, tools] of Object.entries(root.servers)) {
    if (!isJsonObject(tools)) throw invalid(`${file}:${keyLocation(text, server)}`, `\`${server}\` must hold tools`);
    pins.set(
      server,
      readTools(tools, { warn: (tool) => warnings.push(corrupt(`${file}:${keyLocation(text, tool)}`, server, tool)) }),
    );
  }
  return { pins, warnings };
}

/** Renders a lock, sorted by server and key, with each definition as its server declared it. */
export function writeLock(pins: Pins): string {
  const servers: Record<string, JsonObject> = {};
  for (const server of [...pins.keys()].sort()) {
    const tools: Record<string, JsonObject> = {};
    const agreed = pins.get(server) ?? new Map<string, Pin>();
    for (const tool of [...agreed.keys()].sort()) {
      const pin = agreed.get(tool);
      // A corrupt pin stays corrupt until an operator pins the tool again: dropping it would make the tool look new.
      tools[tool] = pin?.kind === 'agreed' ? { digest: pin.digest, definition: pin.definition } : { digest: 'corrupt' };
    }
    servers[server] = tools;
  }
  return `${JSON.stringify({ version: 1, servers }, null, 2)}\n`;
}

function readTools(tools: JsonObject, { warn }: { warn: (tool: string) => void }): Map<string, Pin> {
  const pins = new Map<string, Pin>();
  for (const [tool, entry] of Object.entries(tools)) {
    const pin: Pin = isJsonObject(entry) ? pinOf(tool, entry.digest, entry.definition) : { kind: 'corrupt' };
    if (pin.kind === 'corrupt') warn(tool);
    pins.set(tool, pin);
  }
  return pins;
}

function corrupt(at: string, server: string, tool: string): Problem {
  return {
    code: 'registry-pin-corrupt',
    at,
    message: `the pin of \`${pinnedId(server, readPinKey(tool))}\` does not match its own digest, so it is blocked`,
    hint: `review the change with \`git diff\`, then run \`seneschal registry pin ${server} ${tool}\``,
    severity: 'warning',
  };
}

function invalid(at: string, message: string): ProblemError {
  const hint = 'restore the file from version control, or delete it and run `seneschal registry pin`';
  return new ProblemError([{ code: 'registry-lock-invalid', at, message, hint }]);
}

function syntaxErrorLocation(text: string): string {
  // Only the message of the engine holds the position; without one, the start of the file is reported.
  try {
    JSON.parse(text);
  } catch (error) {
    const position = error instanceof SyntaxError ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    if (position !== undefined) return locationAt(text, Number(position));
  }
  return '1:1';
}

function keyLocation(text: string, key: string): string {
  return locationAt(text, Math.max(0, text.indexOf(`${JSON.stringify(key)}:`)));
}

function locationAt(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
