import { administerAct } from '../../administer-act.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXAMPLE_KEY } from '../../example-ids.ts';
import { EXIT } from '../../exit-codes.ts';
import { printData } from '../../output.ts';

export const keysRevoke: CommandDeclaration = defineCommand({
  path: 'keys revoke',
  summary: 'end a key; in force at once',
  does: `Ends an API key for good. The next request that bears it is refused, beside a broker that runs too. The key stays
    in \`seneschal keys list\` as revoked, and the act is in the ledger. Nothing is printed when it is done.`,
  arguments: [{ name: 'id', what: 'the sixteen hex digits after `sen_`, as `seneschal keys list` shows them' }],
  settings: ['registry', 'policies', 'data'],
  exits: { yes: 'the key is revoked', usage: 'there is no such key, or a flag or variable is wrong' },
  examples: [{ wish: 'End a key that may have been seen by others', line: `seneschal keys revoke ${EXAMPLE_KEY}` }],
  run: async ({ args: { id }, settings, output }) => {
    printData(await administerAct(settings(), 'keys.revoke', { id }), output, () => '');
    return EXIT.yes;
  },
});
