import { expect, test } from 'vitest';
import type { UrlElicitationListener } from '../../../src/domain/mcp/input-request.ts';
import { DetachedUrlElicitations, UrlElicitations } from '../../../src/upstream/call/url-elicitations.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const clock = stillClock();

/** What a call leaves whose user agreed to one URL, and was asked for another when it ended. */
function leftBy(id: string, shown: UrlElicitationListener | undefined): UrlElicitations {
  const urls = new UrlElicitations(clock, { expiryMs: 1_000, urlCompletion: shown });
  urls.recordRequested(id);
  urls.recordAccepted(id);
  urls.recordRequested(`${id}, open`);
  return urls;
}

function agent(canBeTold = true): UrlElicitationListener & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    onComplete: (id) => {
      told.push(id);
      return canBeTold;
    },
  };
}

test('an agent is told after its call what it agreed to, once, and nothing that it did not answer', () => {
  const [kept, one] = [new DetachedUrlElicitations(), agent()];
  kept.add(leftBy('a', one));
  expect(['b', 'a, open', 'a', 'a'].map((id) => kept.complete(id))).toEqual([false, false, true, false]);
  expect(one.told).toEqual(['a']);
});

test('two calls that wait for the same interaction are both told', () => {
  const [kept, agents] = [new DetachedUrlElicitations(), [agent(), agent()]];
  for (const each of agents) kept.add(leftBy('a', each));
  expect(kept.complete('a')).toBe(true);
  expect(agents.map(({ told }) => told)).toEqual([['a'], ['a']]);
});

test('what no agent hears is not said to be told', () => {
  const kept = new DetachedUrlElicitations();
  kept.add(leftBy('a', agent(false)));
  kept.add(leftBy('b', undefined));
  expect(['a', 'b'].map((id) => kept.complete(id))).toEqual([false, false]);
});

test('of more than 64 calls the first are forgotten, and with the session all', () => {
  const [kept, one] = [new DetachedUrlElicitations(), agent()];
  for (let call = 0; call < 65; call += 1) kept.add(leftBy(`${call}`, one));
  expect(['0', '1'].map((id) => kept.complete(id))).toEqual([false, true]);
  kept.clear();
  expect(kept.complete('2')).toBe(false);
  expect(one.told).toEqual(['1']);
});
