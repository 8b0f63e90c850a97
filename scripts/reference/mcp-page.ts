import type { KnownDifference } from '../../test/conformance/official-suite/compare-columns.ts';
import { SUITE } from '../../test/conformance/official-suite/official-suite.ts';
import { AGENT_REQUIREMENTS } from '../../test/conformance/requirements/agent-requirements.ts';
import { AGENT_STREAM_REQUIREMENTS } from '../../test/conformance/requirements/agent-stream-requirements.ts';
import { CHOSEN_DIFFERENCES } from '../../test/conformance/requirements/chosen-differences.ts';
import { KNOWN_DIFFERENCES } from '../../test/conformance/requirements/known-differences.ts';
import type { Requirement } from '../../test/conformance/requirements/requirement.ts';
import { SERVER_REQUIREMENTS } from '../../test/conformance/requirements/server-requirements.ts';
import { SPOKEN_METHODS } from '../../test/conformance/requirements/spoken-methods.ts';
import { code, generatedFrom, pageOf, tableOf } from './markdown.ts';

const SPECIFICATION = 'https://modelcontextprotocol.io/specification/';

/** The page `docs/reference/mcp.md`. */
export function mcpPage(): string {
  return pageOf([
    '# MCP',
    '',
    'Reference. Methods and requirements of MCP that the broker supports, towards agents and towards tool servers, in the legacy',
    'era (2025-03-26 to 2025-11-25) and the modern era (2026-07-28). The translation between the eras is explained in',
    '[Protocol eras](../explanation/protocol-eras.md).',
    '',
    '## Methods',
    '',
    ...methodsTable(),
    '',
    '## Known differences from the tool server',
    '',
    'Except for what the policy forbids, an agent gets the same responses from the broker as from the tool server.',
    `\`npm run conformance\` tests this with the official suite, \`${SUITE}\`.`,
    '',
    'Every scenario of 2025-06-18, 2025-11-25 and 2026-07-28 runs three times: against the tool server, through the broker to',
    'the same server, and through the broker to a server of the other era. The checks in this table have another result through',
    'the broker. The run fails on a difference that is not in the table, and on one that no longer occurs. For 2025-06-18 the',
    'suite has no frozen requirements, so that its scenarios of that revision run instead. The scenarios of the tasks extension',
    'fail on both sides, because neither side supports it.',
    '',
    ...differencesTable(),
    '',
    '## Chosen differences from the specification',
    '',
    'Recommendations of the specification that the broker does not follow.',
    '',
    ...tableOf(
      ['Recommendation', 'The broker', 'Why', 'Test', 'Source'],
      CHOSEN_DIFFERENCES.map(({ source, advised, does, reason, shownBy }) => [
        advised,
        does,
        reason,
        code(shownBy),
        `[${source}](${SPECIFICATION}${source})`,
      ]),
    ),
    '',
    '## Requirements',
    '',
    'Tests in `test/conformance/` check each row with raw messages, on every transport and in every era that it names.',
    '',
    '### Towards agents',
    '',
    ...requirementsTable({ ...AGENT_REQUIREMENTS, ...AGENT_STREAM_REQUIREMENTS }),
    '',
    '### Towards tool servers',
    '',
    ...requirementsTable(SERVER_REQUIREMENTS),
    '',
    ...generatedFrom([
      'test/conformance/requirements/spoken-methods.ts',
      'test/conformance/requirements/known-differences.ts',
      'test/conformance/requirements/chosen-differences.ts',
      'test/conformance/requirements/agent-requirements.ts',
      'test/conformance/requirements/agent-stream-requirements.ts',
      'test/conformance/requirements/server-requirements.ts',
    ]),
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

/** One row for the checks of a scenario with the same result for the same reason. */
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
