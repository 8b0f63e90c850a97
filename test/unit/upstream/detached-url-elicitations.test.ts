import { expect, test } from 'vitest';
import type { UrlElicitationListener } from '../../../src/domain/mcp/input-request.ts';
import { DetachedUrlElicitations, UrlElicitations } from '../../../src/upstream/call/url-elicitations.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const clock = stillClock();

/** Elicitations of a call that ended with one accepted and one unanswered. */
function elicitationsOf(id: string, urlCompletion: UrlElicitationListener | undefined): UrlElicitations {
  const urls = new UrlElicitations(clock, { expiryMs: 1_000, urlCompletion });
  urls.recordRequested(id);
  urls.recordAccepted(id);
  urls.recordRequested(`${id}, open`);
  return urls;
}

function agent(isReachable = true): UrlElicitationListener & { readonly notified: string[] } {
  const notified: string[] = [];
  return {
    notified,
    onComplete: (id) => {
      notified.push(id);
      return isReachable;
    },
  };
}

test('an agent is notified after its call, once, and only of what its user accepted', () => {
  const [detached, one] = [new DetachedUrlElicitations(), agent()];
  detached.add(elicitationsOf('a', one));
  expect(['b', 'a, open', 'a', 'a'].map((id) => detached.complete(id))).toEqual([false, false, true, false]);
  expect(one.notified).toEqual(['a']);
});

test('two calls that wait for the same elicitation are both notified', () => {
  const [detached, agents] = [new DetachedUrlElicitations(), [agent(), agent()]];
  for (const each of agents) detached.add(elicitationsOf('a', each));
  expect(detached.complete('a')).toBe(true);
  expect(agents.map(({ notified }) => notified)).toEqual([['a'], ['a']]);
});

test('an elicitation whose agent cannot be notified is reported as unknown', () => {
  const detached = new DetachedUrlElicitations();
  detached.add(elicitationsOf('a', agent(false)));
  detached.add(elicitationsOf('b', undefined));
  expect(['a', 'b'].map((id) => detached.complete(id))).toEqual([false, false]);
});

test('of more than 64 calls the oldest are removed, and all of them with the session', () => {
  const [detached, one] = [new DetachedUrlElicitations(), agent()];
  for (let call = 0; call < 65; call += 1) detached.add(elicitationsOf(`${call}`, one));
  expect(['0', '1'].map((id) => detached.complete(id))).toEqual([false, true]);
  detached.clear();
  expect(detached.complete('2')).toBe(false);
  expect(one.notified).toEqual(['1']);
});
