import { LOCK_KEYS } from '../../src/registry/pins/lock.ts';
import { agentSettingsSchema } from '../../src/registry/servers/agent-settings.ts';
import { serverSettingsSchema } from '../../src/registry/servers/settings.ts';
import { virtualSettingsSchema } from '../../src/registry/virtual-servers/settings.ts';
import { generatedFrom, meaningsTable, pageOf } from './markdown.ts';
import { schemaRows, schemaTable } from './schema-rows.ts';

/** The page `docs/reference/registry.md`. */
export function registryPage(): string {
  return pageOf([
    '# The registry',
    '',
    'Reference. Keys of the files of `registry/`: one YAML file for each tool server, agent and virtual server, and the lock',
    'with the pinned definitions.',
    '',
    'The name of a file is the `name` in it. Unknown keys and other kinds of files are errors. YAML anchors, aliases, tags and',
    'merge keys are refused, so that a reviewer reads what the broker reads.',
    '',
    '## `servers/*.yaml`',
    '',
    ...schemaTable(schemaRows(serverSettingsSchema)),
    '',
    'These files hold references, never secrets. In the values of `transport.env` and `transport.headers`, `$' +
      '{env:NAME}` is',
    'an environment variable of the broker, and `$' +
      '{file:PATH}` is the content of a file. A relative path starts at the',
    'registry directory. Both are read when a session with the server is opened.',
    '',
    '## `agents/*.yaml`',
    '',
    ...schemaTable(schemaRows(agentSettingsSchema)),
    '',
    '## `virtual/*.yaml`',
    '',
    ...schemaTable(schemaRows(virtualSettingsSchema)),
    '',
    'A virtual server is served at `/v/<name>/mcp` and by `seneschal stdio --server <name>`. It grants nothing by itself, and',
    'its name must differ from every server name. See [Make a virtual server](../how-to/make-a-virtual-server.md).',
    '',
    '## `registry.lock`',
    '',
    '`seneschal registry pin` writes this JSON file, with servers and tools sorted by name. Keep it in version control and',
    'review its changes. Do not edit it by hand: a definition that does not match its digest is blocked as `pin-corrupt`.',
    '',
    ...meaningsTable(['Key', 'Meaning'], LOCK_KEYS),
    '',
    ...generatedFrom([
      'src/registry/servers/settings.ts',
      'src/registry/servers/agent-settings.ts',
      'src/registry/virtual-servers/settings.ts',
      'src/registry/pins/lock.ts',
    ]),
  ]);
}
