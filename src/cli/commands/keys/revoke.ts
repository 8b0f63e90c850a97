import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand, EXAMPLE_KEY } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const keysRevoke: CommandDefinition = defineCommand({
  path: 'keys revoke',
  summary: 'revoke a key at once',
  description: `Revokes an API key for good. The next request with it is refused, also by a running broker. The key stays in
    \`seneschal keys list\` as revoked, and the ledger records it. On success it prints nothing.`,
  arguments: [{ name: 'id', description: 'the sixteen hex digits after `sen_`, as `seneschal keys list` shows them' }],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the key is revoked', usage: 'there is no such key, or a flag or variable is invalid' },
  examples: [{ title: 'Revoke a key that may have leaked', line: `seneschal keys revoke ${EXAMPLE_KEY}` }],
  run: async ({ args: { id }, settings, output }) => {
    printData(await sendAdminRequest(settings(), 'keys.revoke', { id }), output, () => '');
    return EXIT.yes;
  },
});
