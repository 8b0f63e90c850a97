import { expect, test } from 'vitest';
import type { UrlCompletion } from '../../../src/domain/question.ts';
import { KeptUrls } from '../../../src/upstream/kept-urls.ts';
import { OpenedUrls } from '../../../src/upstream/opened-urls.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const clock = stillClock();

/** What a call leaves whose user agreed to one URL, and was asked for another when it ended. */
function leftBy(id: string, shown: UrlCompletion | undefined): OpenedUrls {
  const urls = new OpenedUrls(clock, { expiryMs: 1_000, shown });
  urls.asked(id);
  urls.accepted(id);
  urls.asked(`${id}, open`);
  return urls;
}

function agent(canBeTold = true): UrlCompletion & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    complete: (id) => {
      told.push(id);
      return canBeTold;
    },
  };
}

test('an agent is told after its call what it agreed to, once, and nothing that it did not answer', () => {
  const [kept, one] = [new KeptUrls(), agent()];
  kept.keep(leftBy('a', one));
  expect(['b', 'a, open', 'a', 'a'].map((id) => kept.complete(id))).toEqual([false, false, true, false]);
  expect(one.told).toEqual(['a']);
});

test('two calls that wait for the same interaction are both told', () => {
  const [kept, agents] = [new KeptUrls(), [agent(), agent()]];
  for (const each of agents) kept.keep(leftBy('a', each));
  expect(kept.complete('a')).toBe(true);
  expect(agents.map(({ told }) => told)).toEqual([['a'], ['a']]);
});

test('what no agent hears is not said to be told', () => {
  const kept = new KeptUrls();
  kept.keep(leftBy('a', agent(false)));
  kept.keep(leftBy('b', undefined));
  expect(['a', 'b'].map((id) => kept.complete(id))).toEqual([false, false]);
});

test('of more than 64 calls the first are forgotten, and with the session all', () => {
  const [kept, one] = [new KeptUrls(), agent()];
  for (let call = 0; call < 65; call += 1) kept.keep(leftBy(`${call}`, one));
  expect(['0', '1'].map((id) => kept.complete(id))).toEqual([false, true]);
  kept.clear();
  expect(kept.complete('2')).toBe(false);
  expect(one.told).toEqual(['1']);
});
