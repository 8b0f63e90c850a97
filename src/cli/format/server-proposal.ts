import type { JsonObject } from '../../lib/json/json.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';
import {
  commandLine,
  inputNames,
  type RequiredVariable,
  type ServerDraft,
} from '../../onboarding/import/server-draft.ts';
import type { ServerProposal } from '../../onboarding/import/server-proposal.ts';
import { pluralize, table } from '../framework/output.ts';

/** Formats a server before it is started: its command or URL, and the names of its variables or headers, no values. */
export function draftText(draft: ServerDraft): string {
  const { name, transport, source } = draft;
  const inputs = inputNames(draft);
  const isStdio = transport.type === 'stdio';
  return [
    escapeControlCharacters(`${name} (${source})`),
    escapeControlCharacters(`  ${isStdio ? 'runs' : 'url '}    ${commandLine(draft)}`),
    ...(isStdio && transport.cwd !== undefined ? [escapeControlCharacters(`  in      ${transport.cwd}`)] : []),
    ...(inputs.length > 0 ? [escapeControlCharacters(`  ${isStdio ? 'passes' : 'sends '}  ${inputs.join(', ')}`)] : []),
  ].join('\n');
}

/** Formats the features of a server: each tool with its proposed risk, and the quarantined ones. */
export function serverProposalText({ draft, tools, others, quarantined }: ServerProposal): string {
  return [
    `${draft.name}: ${pluralize(tools.length, 'tool')}`,
    ...(tools.length > 0 ? [table(tools.map(({ tool, risk, why }) => [`  ${tool}`, risk, why]))] : []),
    ...others.map((id) => escapeControlCharacters(`  ${id}`)),
    ...quarantined.map(({ tool, reason }) => escapeControlCharacters(`  ${tool} stays blocked: ${reason}`)),
  ].join('\n');
}

/** The JSON form of a proposal. */
export function serverProposalJson(proposal: ServerProposal): JsonObject {
  const { draft, tools, others, quarantined } = proposal;
  return {
    name: draft.name,
    from: draft.source,
    transport: draft.transport.type,
    runs: commandLine(draft),
    passes: [...inputNames(draft)],
    variables: draft.variables.map((variable) => ({ ...variable })),
    tools: tools.map((tool) => ({ ...tool })),
    others: [...others],
    quarantined: quarantined.map((tool) => ({ ...tool })),
  };
}

/** Formats the variables to export where the broker starts; empty if there are none. */
export function exportsText(drafts: readonly ServerDraft[]): string {
  const byName = new Map<string, { readonly variable: RequiredVariable; readonly drafts: ServerDraft[] }>();
  for (const draft of drafts) {
    for (const variable of draft.variables) {
      const entry = byName.get(variable.name) ?? { variable, drafts: [] };
      entry.drafts.push(draft);
      byName.set(variable.name, entry);
    }
  }
  return Array.from(byName.values(), ({ variable, drafts: users }) => {
    const clearTextNote = variable.wasInClear
      ? `in clear text at ${users[0]?.source ?? ''}: replace it by a new one`
      : '';
    const notes = [`for ${users.map(({ name }) => name).join(', ')}`, clearTextNote, variable.description ?? ''];
    return escapeControlCharacters(`export ${variable.name}=…   # ${notes.filter((note) => note !== '').join('; ')}`);
  }).join('\n');
}
