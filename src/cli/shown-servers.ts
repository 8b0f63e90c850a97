import { type NeededVariable, type ServerDraft, whatItIsGiven, whatItRuns } from '../app/adopt/draft.ts';
import type { ServerProposal } from '../app/adopt/proposal.ts';
import type { JsonObject } from '../lib/json.ts';
import { visibleText } from '../lib/visible-text.ts';
import { counted } from './counted.ts';
import { table } from './output.ts';

/** What a server runs or asks, and the names of what it is given: never a value. */
export function draftText(draft: ServerDraft): string {
  const { name, transport, from } = draft;
  const given = whatItIsGiven(draft);
  const isStdio = transport.type === 'stdio';
  return [
    visibleText(`${name} (${from})`),
    visibleText(`  ${isStdio ? 'runs' : 'asks'}    ${whatItRuns(draft)}`),
    ...(isStdio && transport.cwd !== undefined ? [visibleText(`  in      ${transport.cwd}`)] : []),
    ...(given.length > 0 ? [visibleText(`  ${isStdio ? 'passes' : 'sends '}  ${given.join(', ')}`)] : []),
  ].join('\n');
}

/** What a server has, with the risk that is proposed for each tool, and what of it is quarantined. */
export function proposalText({ draft, tools, others, quarantined }: ServerProposal): string {
  return [
    `${draft.name}: ${counted(tools.length, 'tool')}`,
    ...(tools.length > 0 ? [table(tools.map(({ tool, risk, why }) => [`  ${tool}`, risk, why]))] : []),
    ...others.map((id) => visibleText(`  ${id}`)),
    ...quarantined.map(({ tool, reason }) => visibleText(`  ${tool} stays blocked: ${reason}`)),
  ].join('\n');
}

/** A proposal for programs. */
export function proposalJson(proposal: ServerProposal): JsonObject {
  const { draft, tools, others, quarantined } = proposal;
  return {
    ...{ name: draft.name, from: draft.from, transport: draft.transport.type, runs: whatItRuns(draft) },
    passes: [...whatItIsGiven(draft)],
    variables: draft.variables.map((variable) => ({ ...variable })),
    tools: tools.map((tool) => ({ ...tool })),
    others: [...others],
    quarantined: quarantined.map((tool) => ({ ...tool })),
  };
}

/** What to export where the broker is started; empty where nothing has to be. */
export function exportsText(drafts: readonly ServerDraft[]): string {
  const byName = new Map<string, { readonly variable: NeededVariable; readonly drafts: ServerDraft[] }>();
  for (const draft of drafts) {
    for (const variable of draft.variables) {
      const known = byName.get(variable.name) ?? { variable, drafts: [] };
      known.drafts.push(draft);
      byName.set(variable.name, known);
    }
  }
  return Array.from(byName.values(), ({ variable, drafts: users }) => {
    const was = variable.wasInClear ? `in clear text at ${users[0]?.from ?? ''}: better make a new one` : '';
    const notes = [`for ${users.map(({ name }) => name).join(', ')}`, was, variable.description ?? ''];
    return visibleText(`export ${variable.name}=…   # ${notes.filter((note) => note !== '').join('; ')}`);
  }).join('\n');
}
