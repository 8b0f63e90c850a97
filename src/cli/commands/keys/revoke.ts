import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand, EXAMPLE_KEY } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const keysRevoke: CommandDefinition = defineCommand({
  path: 'keys revoke',
  summary: 'end a key; in force at once',
  description: `Ends an API key for good. The next request that bears it is refused, beside a broker that runs too. The key stays
    in \`seneschal keys list\` as revoked, and the act is in the ledger. Nothing is printed when it is done.`,
  arguments: [{ name: 'id', description: 'the sixteen hex digits after `sen_`, as `seneschal keys list` shows them' }],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the key is revoked', usage: 'there is no such key, or a flag or variable is wrong' },
  examples: [{ title: 'End a key that may have been seen by others', line: `seneschal keys revoke ${EXAMPLE_KEY}` }],
  run: async ({ args: { id }, settings, output }) => {
    printData(await sendAdminRequest(settings(), 'keys.revoke', { id }), output, () => '');
    return EXIT.yes;
  },
});
