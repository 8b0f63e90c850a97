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
 * The canonical JSON (RFC 8785) of an entry. For speed, the two entries of every call are written member by member, in
 * canonical order; `test/property/ledger.test.ts` compares the text with that of `canonicalJson`.
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

/** An optional member, followed by a comma. */
function member(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `"${name}":${canonicalJson(value)},`;
}

/** A digest as JSON; it has no character that needs an escape. */
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

/** Cached JSON of frozen objects, which serve many calls. */
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

/** An entry as stored. The body may have been changed since it was written. */
export interface StoredEntry {
  readonly seq: number;
  readonly body: string;
  readonly leaf: Uint8Array;
}

/** True if the leaf hash matches the body (RFC 9162 §2.1.1). */
export function hasValidHash({ body, leaf }: StoredEntry): boolean {
  return Buffer.compare(leafHash(body), leaf) === 0;
}

/** Parses the body of an entry; undefined if it is not one. */
export function parseEntry(body: string): Entry | undefined {
  const value = parseObject(body);
  if (!isJsonObject(value) || value.v !== 1) return undefined;
  if (!hasStringFields(value, ['principal', 'session']) || typeof value.atMs !== 'number') return undefined;
  const isKnown = ENTRY_KINDS.some((kind) => kind === value.kind);
  // `as`: the common fields are checked above; `parseDecision` checks the fields that replay reads.
  return isKnown ? (value as unknown as Entry) : undefined;
}

/** Parses the body of an entry with decisions and checks the fields that replay reads; undefined if it is not one. */
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

/** Parses a digest; undefined if the text does not have its form. */
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

/** Largest entry, in bytes of UTF-8: the limit of the two length bytes of an entry bundle (C2SP tlog-tiles). */
export const ENTRY_BYTES_LIMIT = 65_535;

/** Thrown for an entry that cannot be recorded; the recorded action must then not happen. */
export class EntryError extends Error {
  override readonly name = 'EntryError';
}

/**
 * The text of an entry: its canonical JSON (RFC 8785).
 * @throws EntryError if it is longer than 65,535 bytes, or if the entry has no canonical form.
 */
export function encodeEntry(entry: Entry): string {
  const bytes = serializeEntry(entry);
  if (exceedsLimit(bytes))
    throw new EntryError(`an entry of kind ${entry.kind} is larger than ${ENTRY_BYTES_LIMIT} bytes`);
  return bytes;
}

/** Prefix of the hash input of a leaf, which distinguishes it from an inner node (RFC 9162 §2.1.1). */
const LEAF_PREFIX = '\u0000';

/** The hash input of the leaf of an entry: the prefix, then the text of the entry. @throws EntryError as `encodeEntry`. */
export function serializeLeaf(entry: Entry): string {
  return LEAF_PREFIX + encodeEntry(entry);
}

/** The leaf hash of an entry's bytes: SHA-256(0x00 ‖ bytes) (RFC 9162 §2.1.1). */
export function leafHash(bytes: string): Uint8Array {
  return hash('sha256', LEAF_PREFIX + bytes, 'buffer');
}

function exceedsLimit(bytes: string): boolean {
  // A UTF-16 unit takes at most three bytes, so almost no entry needs its bytes counted.
  return bytes.length * 3 > ENTRY_BYTES_LIMIT && Buffer.byteLength(bytes) > ENTRY_BYTES_LIMIT;
}
