import { ERROR_CODES } from '../../src/domain/error-codes.ts';
import { REASONS } from '../../src/domain/reasons.ts';
import { generatedFrom, pageOf } from './markdown.ts';

/** The page `docs/reference/reasons.md`, from the two tables that the code uses. */
export function reasonsPage(): string {
  const reasons = Object.entries(REASONS)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([reason, { means, remedy }]) => `| \`${reason}\` | ${means} | ${remedy} |`);
  const codes = Object.entries(ERROR_CODES)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, means]) => `| \`${code}\` | ${means} |`);
  return pageOf([
    '# Reasons and error codes',
    '',
    'Reference. Why a call was refused or failed, and what is wrong with a file, a flag, a command or the environment.',
    '',
    '## Reasons',
    '',
    'Reasons are stable. They appear in replies (`_meta["dev.seneschal/decision"].reason`), in the ledger and in the log.',
    '',
    '| Reason | Means | What to do |',
    '|---|---|---|',
    ...reasons,
    '',
    '## Error codes',
    '',
    'Error codes are stable. A message ends with its code in round brackets.',
    '',
    '| Code | Means |',
    '|---|---|',
    ...codes,
    '',
    ...generatedFrom(['src/domain/reasons.ts', 'src/domain/error-codes.ts']),
  ]);
}
