import { hash } from 'node:crypto';
import type { Digest } from '../lib/digest.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json/json.ts';
import {
  type AdmittedEntry,
  type ClosedEntry,
  type DecisionEntry,
  ENTRY_KINDS,
  type Entry,
  type RecordedStep,
} from './entry.ts';

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

/** An entry as the file holds it. The body is what was written, or what somebody has made of it since. */
export interface StoredEntry {
  readonly seq: number;
  readonly body: string;
  readonly leaf: Uint8Array;
}

/** True when the body is what was hashed when it was written (RFC 9162 §2.1.1). */
export function hasValidHash({ body, leaf }: StoredEntry): boolean {
  return Buffer.compare(leafHash(body), leaf) === 0;
}

/** The entry of a body; undefined when the body is not one. */
export function parseEntry(body: string): Entry | undefined {
  const value = parseObject(body);
  if (!isJsonObject(value) || value.v !== 1) return undefined;
  if (!hasStringFields(value, ['principal', 'session']) || typeof value.atMs !== 'number') return undefined;
  const isKnown = ENTRY_KINDS.some((kind) => kind === value.kind);
  // Checked above as far as the house reads it without asking; what replay reads is checked by `readDecision`.
  return isKnown ? (value as unknown as Entry) : undefined;
}

/** The entry of a body that holds decisions, checked as far as a replay reads it; undefined when it is none. */
export function parseDecision(body: string): DecisionEntry | undefined {
  const entry = parseEntry(body);
  if (entry?.kind !== 'call.admitted' && entry?.kind !== 'call.refused' && entry?.kind !== 'call.closed') {
    return undefined;
  }
  const value = entry as unknown as JsonObject;
  if (!hasStringFields(value, ['callId', 'action', 'revision']) || !isStepList(value.steps)) return undefined;
  if (entry.kind === 'call.closed') return hasStringFields(value, ['outcome', 'target']) ? entry : undefined;
  const { target, context, subjects, credential } = value;
  const isComplete =
    isJsonObject(target) &&
    hasStringFields(target, ['id']) &&
    isJsonObject(context) &&
    hasStringFields(context, ['transport', 'protocolVersion']) &&
    isJsonObject(credential) &&
    hasStringFields(credential, ['id', 'proof']) &&
    Array.isArray(subjects) &&
    subjects.every((subject) => typeof subject === 'string');
  return isComplete ? entry : undefined;
}

/** A digest in text; undefined when it has not that form. */
export function parseDigest(text: string): Digest | undefined {
  return /^sha256:[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined;
}

function isStepList(steps: JsonValue | undefined): boolean {
  return (
    Array.isArray(steps) &&
    steps.every(
      (step) => isJsonObject(step) && hasStringFields(step, ['control', 'effect']) && isJsonObject(step.facts),
    )
  );
}

function hasStringFields(object: JsonObject, keys: readonly string[]): boolean {
  return keys.every((key) => typeof object[key] === 'string');
}

function parseObject(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Largest entry, in bytes of UTF-8: what the two length bytes of an entry bundle can say (C2SP tlog-tiles). */
export const ENTRY_BYTES_LIMIT = 65_535;

/** An entry that cannot be recorded, so that what it tells of must not happen. */
export class EntryError extends Error {
  override readonly name = 'EntryError';
}

/**
 * The bytes of an entry: its canonical JSON (RFC 8785).
 * @throws EntryError when they are more than 65,535, or when the entry has no canonical form.
 */
export function encodeEntry(entry: Entry): string {
  const bytes = serializeEntry(entry);
  if (exceedsLimit(bytes))
    throw new EntryError(`an entry of kind ${entry.kind} is larger than ${ENTRY_BYTES_LIMIT} bytes`);
  return bytes;
}

/** What a leaf is hashed behind, so that no inner node can be taken for one (RFC 9162 §2.1.1). */
const LEAF_PREFIX = '\u0000';

/** The text whose SHA-256 is the leaf hash of an entry, and which holds the entry after its first byte. @throws as entryBytes. */
export function serializeLeaf(entry: Entry): string {
  return LEAF_PREFIX + encodeEntry(entry);
}

/** The leaf hash of an entry's bytes: SHA-256(0x00 ‖ bytes) (RFC 9162 §2.1.1). */
export function leafHash(bytes: string): Uint8Array {
  return hash('sha256', LEAF_PREFIX + bytes, 'buffer');
}

function exceedsLimit(bytes: string): boolean {
  // No UTF-16 unit takes more than three bytes, so that almost no entry has to be counted.
  return bytes.length * 3 > ENTRY_BYTES_LIMIT && Buffer.byteLength(bytes) > ENTRY_BYTES_LIMIT;
}
