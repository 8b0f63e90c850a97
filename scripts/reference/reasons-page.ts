import { ERROR_CODES } from '../../src/domain/error-codes.ts';
import { REASONS } from '../../src/domain/reasons.ts';

/** The page `docs/reference/reasons.md`, made from the two tables that the code itself obeys. */
export function reasonsPage(): string {
  const reasons = Object.entries(REASONS)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([reason, { means, remedy }]) => `| \`${reason}\` | ${means} | ${remedy} |`);
  const codes = Object.entries(ERROR_CODES)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, means]) => `| \`${code}\` | ${means} |`);
  return [
    '# Reasons and error codes',
    '',
    'Reference. Made by `npm run reference` from `src/domain/reasons.ts` and `src/domain/error-codes.ts`; a test compares.',
    '',
    '## Reasons',
    '',
    'Why a call was refused or failed. Stable: they stand in replies (`_meta["dev.seneschal/decision"].reason`), in the',
    'ledger and in the log.',
    '',
    '| Reason | Means | What to do |',
    '|---|---|---|',
    ...reasons,
    '',
    '## Error codes',
    '',
    'What is wrong with a file, a flag, a command or the world. Printed in round brackets at the end of the message.',
    '',
    '| Code | Means |',
    '|---|---|',
    ...codes,
    '',
  ].join('\n');
}
