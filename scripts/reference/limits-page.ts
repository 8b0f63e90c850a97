import { limitsSettings } from '../../src/limits/settings.ts';
import { generatedFrom, pageOf } from './markdown.ts';
import { schemaRows, schemaTable } from './schema-rows.ts';

/** The page `docs/reference/limits.md`. */
export function limitsPage(): string {
  return pageOf([
    '# `limits.yaml`',
    '',
    'Reference. Keys of `policies/limits.yaml`: rates, concurrency limits and budgets. An unknown key is an error.',
    '',
    'Every row that matches a call applies. A call that one row refuses uses nothing of the other rows of its kind. A call',
    'that no row matches is not limited. The exact meaning of the numbers is in [Limits](../explanation/limits.md). To write',
    'a first budget, see [Set a budget](../how-to/set-a-budget.md).',
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
    '',
    ...generatedFrom(['src/limits/settings.ts']),
  ]);
}
