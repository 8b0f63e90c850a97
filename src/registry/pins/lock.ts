import { type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { parseStrictJson } from '../../lib/json/strict-json.ts';
import { type Pin, type Pins, pinOf } from './pin.ts';
import { pinnedId, readPinKey } from './pinned-kind.ts';

/** Name of the lock within the registry directory. */
export const LOCK_FILE = 'registry.lock';

/** Largest lock that is read, in bytes. */
export const MAX_LOCK_BYTES = 67_108_864;

/** What the lock holds, key by key; `docs/reference/registry.md` is made of it. */
export const LOCK_KEYS: Readonly<Record<string, string>> = {
  version: 'Version of the format: 1',
  servers: 'The agreed tools of each server, by its name and by theirs',
  'servers.<name>.<tool>.digest':
    'SHA-256 of the canonical form (RFC 8785) of the definition, as `sha256:…`; `corrupt` where a corrupt pin is kept',
  'servers.<name>.<tool>.definition': 'The definition as the server declared it, verbatim',
};

/** The agreed definitions of `registry.lock`, and a warning for each that cannot be trusted. */
export interface Lock {
  readonly pins: Pins;
  readonly warnings: readonly Problem[];
}

/**
 * Reads the lock. No text at all is a lock without pins. An entry that does not match its own digest is corrupt and
 * blocks its tool; the other entries stand.
 * @throws ProblemError when the file as a whole is not what the broker wrote.
 */
export function readLock(file: string, text: string | undefined): Lock {
  if (text === undefined) return { pins: new Map(), warnings: [] };
  const parsed = parseStrictJson(text, { maxBytes: MAX_LOCK_BYTES, maxDepth: 160, allowUnsafeNumbers: true });
  if (!parsed.ok)
    throw invalid(`${file}:${syntaxErrorLocation(text)}`, `this is not the JSON that was written (${parsed.problem})`);
  const root = parsed.value;
  if (!isJsonObject(root) || root.version !== 1 || !isJsonObject(root.servers)) {
    throw invalid(`${file}:1:1`, 'a lock holds `version: 1` and `servers`');
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

/** The text of a lock: servers and tools in the order of their names, each definition as its server declared it. */
export function writeLock(pins: Pins): string {
  const servers: Record<string, JsonObject> = {};
  for (const server of [...pins.keys()].sort()) {
    const tools: Record<string, JsonObject> = {};
    const agreed = pins.get(server) ?? new Map<string, Pin>();
    for (const tool of [...agreed.keys()].sort()) {
      const pin = agreed.get(tool);
      // A corrupt pin stays corrupt until a person pins the tool again: dropping it would make the tool look new.
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
    message: `the pin of \`${pinnedId(server, readPinKey(tool))}\` does not match its own digest; it is blocked`,
    hint: `see what changed with \`git diff\`, then run \`seneschal registry pin ${server} ${tool}\``,
    severity: 'warning',
  };
}

function invalid(at: string, message: string): ProblemError {
  const hint = 'take the file from version control, or delete it and run `seneschal registry pin`';
  return new ProblemError([{ code: 'registry-lock-invalid', at, message, hint }]);
}

function syntaxErrorLocation(text: string): string {
  // The engine's sentence is the only thing that knows how far it came; where it says nothing the file's start is named.
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
