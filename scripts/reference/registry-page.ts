import { LOCK_KEYS } from '../../src/registry/pins/lock.ts';
import { agentSettingsSchema } from '../../src/registry/servers/agent-settings.ts';
import { serverSettingsSchema } from '../../src/registry/servers/settings.ts';
import { virtualSettingsSchema } from '../../src/registry/virtual-servers/settings.ts';
import { madeFrom, meaningsTable, pageOf } from './markdown.ts';
import { schemaRows, schemaTable } from './schema-rows.ts';

/** The page `docs/reference/registry.md`. */
export function registryPage(): string {
  return pageOf([
    '# The registry',
    '',
    madeFrom([
      'src/registry/servers/settings.ts',
      'src/registry/servers/agent-settings.ts',
      'src/registry/virtual-servers/settings.ts',
      'src/registry/pins/lock.ts',
    ]),
    '',
    'What exists: one YAML file for each tool server, agent and virtual server, called after the `name` in it, and the lock of',
    'the definitions that were agreed to. A key that is not in these tables is an error, so is a file of another kind. YAML',
    'anchors, aliases, tags and merge keys are refused, so that what is reviewed is what is read.',
    '',
    '## `servers/*.yaml`',
    '',
    ...schemaTable(schemaRows(serverSettingsSchema)),
    '',
    'A secret never stands in these files. In the values of `transport.env` and `transport.headers`, `$' +
      '{env:NAME}` is the',
    'value of an environment variable of the broker and `$' +
      '{file:PATH}` the content of a file, whose relative path starts',
    'from the registry directory. Both are read when a session with the server is opened.',
    '',
    '## `agents/*.yaml`',
    '',
    ...schemaTable(schemaRows(agentSettingsSchema)),
    '',
    '## `virtual/*.yaml`',
    '',
    ...schemaTable(schemaRows(virtualSettingsSchema)),
    '',
    'A virtual server is served at `/v/<name>/mcp` and by `seneschal stdio --server <name>`. It grants nothing; see [offer a',
    'part of the tools](../how-to/make-a-virtual-server.md). It may not have the name of a server.',
    '',
    '## `registry.lock`',
    '',
    'JSON that `seneschal registry pin` writes, servers and tools in the order of their names. It is reviewed and kept in',
    'version control, and not edited by hand: a definition that does not match its own digest is blocked as `pin-corrupt`.',
    '',
    ...meaningsTable(['Key', 'Meaning'], LOCK_KEYS),
  ]);
}
