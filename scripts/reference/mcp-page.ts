import type { KnownDifference } from '../../test/conformance/official-suite/compare-columns.ts';
import { SUITE } from '../../test/conformance/official-suite/official-suite.ts';
import { AGENT_REQUIREMENTS } from '../../test/conformance/requirements/agent-requirements.ts';
import { AGENT_STREAM_REQUIREMENTS } from '../../test/conformance/requirements/agent-stream-requirements.ts';
import { CHOSEN_DIFFERENCES } from '../../test/conformance/requirements/chosen-differences.ts';
import { KNOWN_DIFFERENCES } from '../../test/conformance/requirements/known-differences.ts';
import type { Requirement } from '../../test/conformance/requirements/requirement.ts';
import { SERVER_REQUIREMENTS } from '../../test/conformance/requirements/server-requirements.ts';
import { SPOKEN_METHODS } from '../../test/conformance/requirements/spoken-methods.ts';
import { code, madeFrom, pageOf, tableOf } from './markdown.ts';

const SPECIFICATION = 'https://modelcontextprotocol.io/specification/';

/** The page `docs/reference/mcp.md`. */
export function mcpPage(): string {
  return pageOf([
    '# MCP',
    '',
    madeFrom([
      'test/conformance/requirements/spoken-methods.ts',
      'test/conformance/requirements/known-differences.ts',
      'test/conformance/requirements/chosen-differences.ts',
      'test/conformance/requirements/agent-requirements.ts',
      'test/conformance/requirements/agent-stream-requirements.ts',
      'test/conformance/requirements/server-requirements.ts',
    ]),
    '',
    'What of MCP the broker speaks, to agents and to tool servers, in the legacy era (2025-03-26 to 2025-11-25) and in the',
    'modern one (2026-07-28). How the two eras meet is in [Protocol eras](../explanation/protocol-eras.md).',
    '',
    '## Methods',
    '',
    ...methodsTable(),
    '',
    '## Where the broker cannot be like its server',
    '',
    'An agent should not be able to tell the broker from the tool server behind it, but for what policy forbids.',
    '`npm run conformance` holds that against the official suite,',
    `\`${SUITE}\`, which it fetches with the Node that it needs: every scenario of`,
    '2025-06-18, 2025-11-25 and 2026-07-28 runs against a tool server itself, through the broker with the same server behind,',
    'and through the broker with a server of the other era behind. These checks end otherwise. A difference that is not here',
    'fails, and so does one that is here and no longer occurs. For 2025-06-18 the suite has no frozen requirements; there its',
    'scenarios of that revision run. Those of the tasks extension fail alike on both sides, since nobody there speaks it.',
    '',
    ...differencesTable(),
    '',
    '## Where the broker does otherwise by choice',
    '',
    'The specification advises one thing, and the broker does another.',
    '',
    ...tableOf(
      ['Advised', 'The broker', 'Why', 'Shown by', 'Source'],
      CHOSEN_DIFFERENCES.map(({ source, advised, does, reason, shownBy }) => [
        ...[advised, does, reason, code(shownBy)],
        `[${source}](${SPECIFICATION}${source})`,
      ]),
    ),
    '',
    '## What is required',
    '',
    'Each row is tried by raw messages, on every transport and in every era that it names, in `test/conformance/`.',
    '',
    '### Towards agents',
    '',
    ...requirementsTable({ ...AGENT_REQUIREMENTS, ...AGENT_STREAM_REQUIREMENTS }),
    '',
    '### Towards tool servers',
    '',
    ...requirementsTable(SERVER_REQUIREMENTS),
  ]);
}

function methodsTable(): readonly string[] {
  const mark = (isSpoken: boolean): string => (isSpoken ? 'yes' : '–');
  return tableOf(
    ['Method', 'Agents, legacy', 'Agents, modern', 'Servers, legacy', 'Servers, modern', 'Note'],
    Object.entries(SPOKEN_METHODS).map(([method, { agents, servers, note = '' }]) => [
      code(method),
      ...[agents.legacy, agents.modern, servers.legacy, servers.modern].map(mark),
      note,
    ]),
  );
}

/** One row for the checks of a scenario that end alike for the same reason. */
function differencesTable(): readonly string[] {
  const rows = new Map<string, { readonly first: KnownDifference; checks: Set<string>; behind: Set<string> }>();
  for (const difference of KNOWN_DIFFERENCES) {
    const { revisions, scenario, through, reason } = difference;
    const key = JSON.stringify([revisions, scenario, through, reason]);
    const row = rows.get(key) ?? { first: difference, checks: new Set(), behind: new Set() };
    row.checks.add(difference.check);
    row.behind.add(difference.behind);
    rows.set(key, row);
  }
  return tableOf(
    ['Revision', 'Server behind', 'Scenario and checks', 'Directly', 'Through', 'Why'],
    [...rows.values()].map(({ first, checks, behind }) => [
      first.revisions.join(', '),
      [...behind].join(' or '),
      `${first.scenario}: ${[...checks].join(', ')}`,
      first.direct,
      first.through,
      first.reason,
    ]),
  );
}

function requirementsTable(requirements: Readonly<Record<string, Requirement>>): readonly string[] {
  return tableOf(
    ['Id', 'Holds', 'Behaviour', 'Source'],
    Object.entries(requirements).map(([id, { holds, says, source }]) => [
      code(id),
      holds,
      `${says.charAt(0).toUpperCase()}${says.slice(1)}.`,
      `[${source}](${SPECIFICATION}${source})`,
    ]),
  );
}
