import { afterEach, expect, test } from 'vitest';
import { LegacySessions, type SessionLimits } from '../../../src/ingress/mcp/streamable-http/legacy-sessions.ts';
import { Cancellation } from '../../../src/lib/cancellation.ts';

let nowMs = 0;
let made = 0;
let sessions: LegacySessions;

function open(limits: Partial<SessionLimits> = {}): LegacySessions {
  nowMs = 0;
  made = 0;
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const ids = {
    uuidv7: () => `uuid-${made}`,
    randomBytes: (length: number) => {
      made += 1;
      return new Uint8Array(length).fill(made);
    },
  };
  sessions = new LegacySessions({ clock, ids }, { perPrincipal: 2, total: 4, idleMs: 1_000, ...limits });
  return sessions;
}

afterEach(() => sessions.close());

test('a session is found by its principal only', () => {
  const session = open().open({ principalId: 'agent:demo' }, '2025-11-25');
  expect(sessions.find(session?.id ?? '', { principalId: 'agent:demo' })).toBe(session);
  expect(sessions.find(session?.id ?? '', { principalId: 'agent:other' })).toBeUndefined();
});

test('a session does not exist on paths other than the one it was opened on', () => {
  const session = open().open({ principalId: 'agent:demo', view: 'server:files' }, '2025-11-25');
  expect(sessions.find(session?.id ?? '', { principalId: 'agent:demo', view: 'server:files' })).toBe(session);
  expect(sessions.find(session?.id ?? '', { principalId: 'agent:demo', view: 'virtual:files' })).toBeUndefined();
  expect(sessions.find(session?.id ?? '', { principalId: 'agent:demo' })).toBeUndefined();
});

test('a session id has 192 random bits', () => {
  expect(open().open({ principalId: 'agent:demo' }, '2025-11-25')?.id).toMatch(/^[A-Za-z0-9_-]{32}$/);
});

test('at the limit a new session replaces the least recently used one', () => {
  open();
  const first = sessions.open({ principalId: 'agent:demo' }, '2025-11-25');
  nowMs = 1;
  const second = sessions.open({ principalId: 'agent:demo' }, '2025-11-25');
  nowMs = 2;
  sessions.find(first?.id ?? '', { principalId: 'agent:demo' });
  const third = sessions.open({ principalId: 'agent:demo' }, '2025-11-25');
  expect(
    [first, second, third].map(
      (session) => sessions.find(session?.id ?? '', { principalId: 'agent:demo' }) !== undefined,
    ),
  ).toEqual([true, false, true]);
});

test('a session with a call in flight is not replaced', () => {
  open({ perPrincipal: 1 });
  sessions.open({ principalId: 'agent:demo' }, '2025-11-25')?.inFlight.set(1, new Cancellation());
  expect(sessions.open({ principalId: 'agent:demo' }, '2025-11-25')).toBeUndefined();
});

test('at the total limit a new session does not end one of another principal', () => {
  open({ total: 2 });
  const mine = sessions.open({ principalId: 'agent:a' }, '2025-11-25');
  sessions.open({ principalId: 'agent:b' }, '2025-11-25');
  expect(sessions.open({ principalId: 'agent:c' }, '2025-11-25')).toBeUndefined();
  expect(sessions.find(mine?.id ?? '', { principalId: 'agent:a' })).toBe(mine);
});

test('an idle session ends when the limit is reached', () => {
  open({ total: 1 });
  const old = sessions.open({ principalId: 'agent:a' }, '2025-11-25');
  nowMs = 1_001;
  expect(sessions.open({ principalId: 'agent:b' }, '2025-11-25')).toBeDefined();
  expect(sessions.find(old?.id ?? '', { principalId: 'agent:a' })).toBeUndefined();
});

test('ending a session cancels its calls', () => {
  const session = open().open({ principalId: 'agent:demo' }, '2025-11-25');
  const call = new Cancellation();
  session?.inFlight.set(1, call);
  if (session) sessions.end(session);
  expect(call.signal.aborted).toBe(true);
});
