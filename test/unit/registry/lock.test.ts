import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { readLock, writeLock } from '../../../src/registry/pins/lock.ts';
import { withoutPin, withPins } from '../../../src/registry/pins/pin.ts';
import { agreedPins, tool } from '../../fixtures/catalog-parts.ts';

const LOCK = `{
  "version": 1,
  "servers": {
    "files": {
      "read": {
        "digest": "sha256:f6983766236b7e234a2d7d34a6e0915609ee9c0ed1d330829440849a2c32c5c7",
        "definition": {
          "name": "read",
          "description": "does read",
          "inputSchema": {
            "type": "object"
          }
        }
      }
    }
  }
}
`;

function refusal(text: string): string {
  try {
    readLock('registry/registry.lock', text);
  } catch (error) {
    if (error instanceof ProblemError) return `${error.at} ${error.code}: ${error.problems[0]?.message}`;
    throw error;
  }
  return 'none';
}

describe('a lock', () => {
  test('is written sorted and indented, with definitions as declared', () => {
    expect(writeLock(agreedPins('files', tool('read')))).toBe(LOCK);
  });

  test('is equal after it was written and read', () => {
    const pins = agreedPins('files', tool('write'), tool('read'));
    expect(readLock('registry.lock', writeLock(pins)).pins.get('files')).toEqual(pins.get('files'));
  });

  test('without a file has no pins', () => {
    expect(readLock('registry.lock', undefined)).toEqual({ pins: new Map(), warnings: [] });
  });

  test('with one changed word blocks that tool with its location, and no other', () => {
    const pins = withPins(agreedPins('files', tool('read'), tool('write')), []);
    const text = writeLock(pins).replace('does write', 'sends your files away');
    const lock = readLock('registry/registry.lock', text);
    expect(lock.pins.get('files')?.get('write')).toEqual({ kind: 'corrupt' });
    expect(lock.pins.get('files')?.get('read')?.kind).toBe('agreed');
    expect(lock.warnings).toEqual([
      {
        code: 'registry-pin-corrupt',
        at: 'registry/registry.lock:15:7',
        message: 'the pin of `tool:files/write` does not match its own digest, so it is blocked',
        hint: 'review the change with `git diff`, then run `seneschal registry pin files write`',
        severity: 'warning',
      },
    ]);
  });

  test('keeps a corrupt pin corrupt when it is written again', () => {
    const text = LOCK.replace('does read', 'does harm');
    const again = readLock('l', writeLock(readLock('l', text).pins));
    expect(again.pins.get('files')?.get('read')).toEqual({ kind: 'corrupt' });
  });

  test.each([
    [
      'a merge conflict',
      LOCK.replace('  "servers"', '<<<<<<< ours\n  "servers"'),
      'registry/registry.lock:3:1 registry-lock-invalid: the lock is not valid JSON (syntax)',
    ],
    [
      'a key written twice',
      LOCK.replace('"version": 1,', '"version": 1, "version": 1,'),
      'registry/registry.lock:1:1 registry-lock-invalid: the lock is not valid JSON (duplicate-key)',
    ],
    [
      'another version',
      LOCK.replace('1', '2'),
      'registry/registry.lock:1:1 registry-lock-invalid: the lock must have `version: 1` and `servers`',
    ],
    [
      'a server that holds no map',
      '{ "version": 1,\n "servers": { "files": [] } }',
      'registry/registry.lock:2:15 registry-lock-invalid: `files` must hold tools',
    ],
    ['nothing in it', '', 'registry/registry.lock:1:1 registry-lock-invalid: the lock is not valid JSON (syntax)'],
  ])('with %s is refused as a whole', (_what, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });
});

describe('pins', () => {
  test('take a changed definition when it is pinned', () => {
    const before = agreedPins('files', tool('read'));
    const changed = agreedPins('files', tool('read', { description: 'new' }))
      .get('files')
      ?.get('read');
    if (changed?.kind !== 'agreed') throw new TypeError('the fixture is agreed to');
    const after = withPins(before, [{ server: 'files', tool: 'read', ...changed }]);
    expect(after.get('files')?.get('read')).toEqual(changed);
    expect(before.get('files')?.get('read')).not.toEqual(changed);
  });

  test('of one tool or of a whole server can be removed', () => {
    const pins = agreedPins('files', tool('read'), tool('write'));
    expect([...(withoutPin(pins, 'files', 'read').get('files')?.keys() ?? [])]).toEqual(['write']);
    expect(withoutPin(pins, 'files').has('files')).toBe(false);
  });
});
