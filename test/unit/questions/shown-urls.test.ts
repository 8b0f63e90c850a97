import { expect, test } from 'vitest';
import type { AgentLink } from '../../../src/domain/agent-link.ts';
import type { ServerQuestion } from '../../../src/domain/question.ts';
import { ShownUrls } from '../../../src/questions/shown-urls.ts';

function asked(elicitationId: string): ServerQuestion {
  return { method: 'elicitation/create', params: { mode: 'url', elicitationId } };
}

/** What an agent was asked, and what it is told of that. */
function agent(): { readonly shown: ShownUrls; readonly told: string[] } {
  const told: string[] = [];
  const link: AgentLink = {
    ...{ capabilities: {}, logLevel: undefined, wantsProgress: false, progress: () => true, log: () => true },
    elicitationComplete: (id) => told.push(id) > 0,
  };
  return { shown: new ShownUrls(link), told };
}

test('an agent is told by our id, of what it was asked for alone', () => {
  const { shown, told } = agent();
  shown.note(asked('theirs'), asked('ours'));
  expect([shown.complete('theirs'), shown.complete('ours'), shown.complete('another')]).toEqual([true, false, false]);
  expect(told).toEqual(['ours']);
});

test('an id that is longer than any has to be is not kept', () => {
  const { shown, told } = agent();
  const [longest, longer] = ['x'.repeat(256), 'x'.repeat(257)];
  shown.note(asked(longest), asked('one'));
  shown.note(asked(longer), asked('other'));
  expect([shown.complete(longest), shown.complete(longer)]).toEqual([true, false]);
  expect(told).toEqual(['one']);
});
