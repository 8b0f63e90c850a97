import { POSTURE } from '../../app/posture.ts';
import type { PostureRow } from '../../domain/posture.ts';
import { type CommandDeclaration, defineCommand } from '../declaration.ts';
import { EXIT } from '../exit-codes.ts';
import { printData } from '../output.ts';

export const posture: CommandDeclaration = defineCommand({
  path: 'posture',
  summary: 'say what each guard does when it fails, and whether a setting opens it',
  does: `Prints every guard that a start and a call meet: what fails it, the reason or error that this yields, and what a
    person may set so that it lets through. Every row is declared beside the code that decides, and taken from there.

    Nothing here fails open: where \`opens\` names nothing, no setting changes what is said.`,
  exits: { yes: 'the guards were printed' },
  examples: [
    { wish: 'See what fails closed, and what may be opened', line: 'seneschal posture' },
    { wish: 'Keep the answer beside an audit', line: 'seneschal posture --output json > posture.json' },
  ],
  run: ({ output }) => {
    printData(POSTURE, output, (rows) => rows.map(postureText).join('\n'));
    return EXIT.yes;
  },
});

function postureText({ guard, when, yields, means, opens }: PostureRow): string {
  return [
    `${guard}: ${yields}${means === undefined ? '' : ` (${means})`}`,
    `  when   ${when}`,
    `  opens  ${opens ?? 'nothing'}`,
  ].join('\n');
}
