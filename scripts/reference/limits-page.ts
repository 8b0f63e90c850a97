import { limitsSettings } from '../../src/limits/settings.ts';
import { madeFrom, pageOf } from './markdown.ts';
import { schemaRows, schemaTable } from './schema-rows.ts';

/** The page `docs/reference/limits.md`. */
export function limitsPage(): string {
  return pageOf([
    '# `limits.yaml`',
    '',
    madeFrom(['src/limits/settings.ts']),
    '',
    'How much: rates, concurrency limits and budgets. All rows that match a call apply; a call that one of them refuses',
    'uses nothing of the others of its kind. What no row matches is not limited. A key that is not in this table is an',
    'error. What the numbers mean to the letter is in [Limits](../explanation/limits.md); a first budget is made in',
    '[Set a budget](../how-to/set-a-budget.md).',
    '',
    '```yaml policies/limits.yaml',
    'rates:',
    '  - { subject: "agent:*", resource: "tool:*", action: call, limit: 600/m, burst: 50 }',
    'concurrency:',
    '  - { subject: "agent:*", resource: "tool:files/*", limit: 8 }',
    'budgets:',
    '  - { subject: "team:support", resource: "tool:*", window: month, hard: { calls: 5000, usd: "20.00" }, soft: 90% }',
    '```',
    '',
    ...schemaTable(schemaRows(limitsSettings)),
  ]);
}
