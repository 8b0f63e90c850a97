import { expect, test } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import type { InputRequest } from '../../../src/domain/mcp/input-request.ts';
import { UrlIdMap } from '../../../src/input-required/rewrite-for-client.ts';

function asked(elicitationId: string): InputRequest {
  return { method: 'elicitation/create', params: { mode: 'url', elicitationId } };
}

/** What an agent was asked, and what it is told of that. */
function agent(): { readonly shown: UrlIdMap; readonly told: string[] } {
  const told: string[] = [];
  const link: ClientContext = {
    ...{ capabilities: {}, logLevel: undefined, wantsProgress: false, progress: () => true, log: () => true },
    elicitationComplete: (id) => told.push(id) > 0,
  };
  return { shown: new UrlIdMap(link), told };
}

test('an agent is told by our id, of what it was asked for alone', () => {
  const { shown, told } = agent();
  shown.add(asked('theirs'), asked('ours'));
  expect([shown.onComplete('theirs'), shown.onComplete('ours'), shown.onComplete('another')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(told).toEqual(['ours']);
});

test('an id that is longer than any has to be is not kept', () => {
  const { shown, told } = agent();
  const [longest, longer] = ['x'.repeat(256), 'x'.repeat(257)];
  shown.add(asked(longest), asked('one'));
  shown.add(asked(longer), asked('other'));
  expect([shown.onComplete(longest), shown.onComplete(longer)]).toEqual([true, false]);
  expect(told).toEqual(['one']);
});
