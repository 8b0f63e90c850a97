import { canonicalJson } from '../lib/canonical-json.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { AdmittedEntry, ClosedEntry, Entry, RecordedStep } from './entry.ts';

/**
 * The canonical JSON (RFC 8785) of an entry. The two entries that every call makes are printed member by member, in
 * canonical order; `test/property/ledger.test.ts` holds the text against the general printer.
 * @throws RangeError, TypeError as `canonicalJson`.
 */
export function serializeEntry(entry: Entry): string {
  switch (entry.kind) {
    case 'call.admitted':
      return serializeAdmitted(entry);
    case 'call.closed':
      return serializeClosed(entry);
    default:
      // Entries are JSON by their types; an interface lacks the index signature that would say so.
      return canonicalJson(entry as unknown as JsonObject);
  }
}

function serializeAdmitted(entry: AdmittedEntry): string {
  return (
    `{"action":"${entry.action}","argsDigest":"${entry.argsDigest}","atMs":${canonicalJson(entry.atMs)},` +
    `"callId":${canonicalJson(entry.callId)},${member('causedBy', entry.causedBy)}` +
    `"context":${serializeShared(entry.context)},` +
    `"credential":${serializeShared(entry.credential)},"kind":"call.admitted",` +
    `"principal":${canonicalJson(entry.principal)},"registry":${serializeDigest(entry.registry)},` +
    `"revision":${serializeDigest(entry.revision)},"session":${canonicalJson(entry.session)},` +
    `"steps":${serializeSteps(entry.steps)},"subjects":${serializeShared(entry.subjects)},` +
    `"target":${serializeShared(entry.target)},"v":1}`
  );
}

function serializeClosed(entry: ClosedEntry): string {
  return (
    `{"action":"${entry.action}","admittedAtMs":${canonicalJson(entry.admittedAtMs)},` +
    `"atMs":${canonicalJson(entry.atMs)},"callId":${canonicalJson(entry.callId)},` +
    `"costNanoUsd":${canonicalJson(entry.costNanoUsd)},"durationMs":${canonicalJson(entry.durationMs)},` +
    `"inDoubt":${entry.inDoubt},"kind":"call.closed",${member('message', entry.message)}` +
    `"outcome":"${entry.outcome}","principal":${canonicalJson(entry.principal)},${member('reason', entry.reason)}` +
    `"registry":${serializeDigest(entry.registry)},${member('resultBytes', entry.resultBytes)}` +
    `${member('resultDigest', entry.resultDigest)}"revision":${serializeDigest(entry.revision)},` +
    `${member('rule', entry.rule)}"session":${canonicalJson(entry.session)},${member('stage', entry.stage)}` +
    `"steps":${serializeSteps(entry.steps)},"target":${canonicalJson(entry.target)},"v":1}`
  );
}

/** A member that may be absent, with the comma after it. */
function member(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `"${name}":${canonicalJson(value)},`;
}

/** A digest has nothing in it that would need an escape. */
function serializeDigest(digest: string | null): string {
  return digest === null ? 'null' : `"${digest}"`;
}

function serializeSteps(steps: readonly RecordedStep[]): string {
  let text = '[';
  for (const step of steps) {
    const { control, effect, facts, reason, rule } = step;
    text += text === '[' ? '' : ',';
    text += `{"control":"${control}","effect":"${effect}","facts":${serializeShared(facts)}`;
    if (reason !== undefined) text += `,"reason":"${reason}"`;
    if (rule !== undefined) text += `,"rule":${canonicalJson(rule)}`;
    text += '}';
  }
  return `${text}]`;
}

/** What stays the same from call to call is frozen by whoever hands it out, and printed once. */
const serializedByObject = new WeakMap<object, string>();

function serializeShared(value: object): string {
  // `as`: the members of an entry are JSON by their types.
  if (!Object.isFrozen(value)) return canonicalJson(value as JsonValue);
  const cached = serializedByObject.get(value);
  if (cached !== undefined) return cached;
  const text = canonicalJson(value as JsonValue);
  serializedByObject.set(value, text);
  return text;
}
