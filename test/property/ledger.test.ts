import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACTIONS } from '../../src/domain/call.ts';
import { commit, saltedDigest } from '../../src/ledger/commitment.ts';
import type { RecordedTarget } from '../../src/ledger/entry.ts';
import { encodeEntry, hasValidHash, leafHash, parseEntry, serializeEntry } from '../../src/ledger/stored-entry.ts';
import { canonicalJson } from '../../src/lib/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../src/lib/json/json.ts';
import { SHA256_OF_BYTES_BEFORE, type SqlValue, type Statement } from '../../src/storage/database.ts';
import { StatementDecoder, StatementEncoder } from '../../src/storage/writer-channel.ts';
import { admitted, CountingIds, closed, DIGEST } from '../fixtures/ledger.ts';

const RUNS = { numRuns: 300 };
const json = fc.jsonValue({ stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>;
const facts = fc.dictionary(
  fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom('__proto__', 'constructor', '')),
  json,
) as fc.Arbitrary<JsonObject>;

/** A literal implementation of RFC 8785 §3.2, without optimizations. */
function plainCanonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(plainCanonicalJson).join(',')}]`;
  const members = Object.entries(value as JsonObject).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${plainCanonicalJson(member)}`).join(',')}}`;
}

test('the canonical form is that of a literal implementation of RFC 8785', () => {
  fc.assert(
    fc.property(fc.oneof(json, facts), (value) => {
      expect(canonicalJson(value)).toBe(plainCanonicalJson(value));
    }),
    RUNS,
  );
});

test('a text has a canonical form if and only if it has no lone surrogate', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\ud800', '\udc00', '\\', 'ud800', 'a', '"') }), (text) => {
      const form = (): string => canonicalJson({ [text]: text });
      if (text.isWellFormed()) expect(form()).toBe(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`);
      else expect(form).toThrow('a lone surrogate has no canonical form');
    }),
    RUNS,
  );
});

/** Ids of every kind. The id of a resource has its URI, which may be any text. */
function ids(text: fc.Arbitrary<string>): fc.Arbitrary<`${'tool' | 'prompt' | 'resource'}:${string}/${string}`> {
  return fc
    .tuple(fc.constantFrom('tool' as const, 'prompt' as const, 'resource' as const), text)
    .map(([kind, name]) => `${kind}:files/${name}` as const);
}

function recordedTargets(text: fc.Arbitrary<string>): fc.Arbitrary<RecordedTarget> {
  const known = fc.tuple(ids(text), fc.boolean()).map(([id, isFrozen]): RecordedTarget => {
    const target = { definitionDigest: DIGEST, id, risk: 'read' } as const;
    return isFrozen ? Object.freeze(target) : target;
  });
  const unknown = fc.constantFrom('tool:unknown' as const, 'prompt:unknown' as const, 'resource:unknown' as const);
  return fc.oneof(known, fc.record({ exposedName: text, id: unknown }));
}

test('the entries of a call are serialized as by `canonicalJson`', () => {
  const text = fc.string({ unit: 'binary' });
  const frozenOrNot = fc.tuple(facts, fc.boolean()).map(([some, isFrozen]) => (isFrozen ? Object.freeze(some) : some));
  const steps = fc.array(
    fc.record(
      {
        control: fc.constantFrom('rate' as const, 'authorize' as const),
        effect: fc.constantFrom('allow' as const, 'deny' as const),
        facts: frozenOrNot,
        reason: fc.constant('policy-denied' as const),
        rule: text,
      },
      { requiredKeys: ['control', 'effect', 'facts'] },
    ),
    { maxLength: 3 },
  );
  const action = fc.constantFrom(...ACTIONS);
  const session = { session: text, principal: text, steps, action };
  const intents = fc
    .record({ ...session, target: recordedTargets(text), subjects: fc.array(text).map((list) => Object.freeze(list)) })
    .map((more) => admitted('c1', more));
  const outcomes = fc
    .record(
      {
        ...session,
        target: ids(text),
        message: text,
        reason: fc.constant('policy-denied' as const),
        rule: text,
        stage: text,
        resultBytes: fc.nat(),
      },
      { requiredKeys: ['session', 'principal', 'steps', 'action', 'target'] },
    )
    .map((more) => closed('c1', more));
  fc.assert(
    fc.property(fc.oneof(intents, outcomes), (entry) => {
      expect(serializeEntry(entry)).toBe(canonicalJson(entry as unknown as JsonObject));
    }),
    { numRuns: 2_000 },
  );
});

test('an entry with a lone surrogate in its facts cannot be encoded', () => {
  const entry = admitted('c1', { steps: [{ control: 'rate', effect: 'allow', facts: { text: '\ud800' } }] });
  expect(() => encodeEntry(entry)).toThrow('a lone surrogate has no canonical form');
  const number = admitted('c1', { steps: [{ control: 'rate', effect: 'allow', facts: { aheadUs: Number.NaN } }] });
  expect(() => encodeEntry(number)).toThrow('NaN and Infinity have no canonical form');
});

test('an entry with any facts is read as it was written, and any change of its bytes is detected', () => {
  fc.assert(
    fc.property(facts, fc.nat(), fc.integer({ min: 1, max: 255 }), (some, position, change) => {
      const entry = admitted('c1', { steps: [{ control: 'rate', effect: 'allow', facts: some }] });
      const body = encodeEntry(entry);
      const leaf = leafHash(body);
      expect(parseEntry(body)).toEqual(JSON.parse(JSON.stringify(entry)));
      const bytes = Buffer.from(body);
      const at = position % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      expect(hasValidHash({ seq: 1, body, leaf })).toBe(true);
      expect(hasValidHash({ seq: 1, body: bytes.toString('latin1'), leaf })).toBe(false);
    }),
    RUNS,
  );
});

test('a commitment matches its payload and no other', () => {
  fc.assert(
    fc.property(json, json, (one, other) => {
      const { digest, salt, bytes } = commit(one, new CountingIds());
      expect(saltedDigest(salt, bytes)).toBe(digest);
      expect(saltedDigest(salt, canonicalJson(other)) === digest).toBe(bytes === canonicalJson(other));
    }),
    RUNS,
  );
});

test('statements arrive at the writer unchanged', () => {
  const value: fc.Arbitrary<SqlValue> = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
  );
  const statement = fc.record({
    sql: fc.constantFrom('a', 'b', 'ö', ''),
    params: fc.array(value, { maxLength: 6 }),
  }) as fc.Arbitrary<Statement>;
  fc.assert(
    fc.property(fc.array(fc.array(statement, { maxLength: 8 }), { maxLength: 4 }), (batches) => {
      const encoder = new StatementEncoder();
      const texts: string[] = [];
      for (const statements of batches) {
        const memory = Buffer.from(new SharedArrayBuffer(encoder.maxBytes(statements)));
        encoder.encode(statements, memory);
        const batch = new StatementDecoder(memory);
        texts.push(...batch.newSql());
        const arrived: Statement[] = [];
        batch.each((sqlId, params) => arrived.push({ sql: texts[sqlId] ?? '', params }));
        const plain = (list: readonly Statement[]): unknown =>
          list.map(({ sql, params }) => [sql, params.map((it) => (it instanceof Uint8Array ? [...it] : it))]);
        expect(plain(arrived)).toEqual(plain(statements));
      }
    }),
    RUNS,
  );
});

test('the writer hashes the UTF-8 bytes of a text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const statements: readonly Statement[] = [{ sql: 'a', params: [1, { utf8: text }, SHA256_OF_BYTES_BEFORE] }];
      const encoder = new StatementEncoder();
      const memory = Buffer.from(new SharedArrayBuffer(encoder.maxBytes(statements)));
      encoder.encode(statements, memory);
      const batch = new StatementDecoder(memory);
      expect(batch.newSql()).toEqual(['a']);
      batch.each((_sqlId, [, bytes, digest]) => {
        expect(bytes).toEqual(Buffer.from(text, 'utf8'));
        expect(digest).toEqual(createHash('sha256').update(text, 'utf8').digest());
      });
    }),
    RUNS,
  );
});
