import type { Digest } from '../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { type DecisionEntry, ENTRY_KINDS, type Entry } from './entry.ts';
import { leafHash } from './entry-bytes.ts';

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
