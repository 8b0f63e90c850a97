import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadRegistry } from '../../../src/registry/load.ts';
import { renderServerYaml, type ServerYaml } from '../../../src/registry/servers/server-yaml.ts';

function readBack(server: ServerYaml): ReturnType<typeof loadRegistry>['servers'] {
  return loadRegistry({ [`servers/${server.name}.yaml`]: renderServerYaml(server) }).servers;
}

test('a server is rendered as a person would write it', () => {
  const text = renderServerYaml({
    name: 'notes',
    title: 'Notes: all of them',
    transport: {
      type: 'stdio',
      command: 'npx',
      args: ['-y', 'notes@1.2.3'],
      env: { TOKEN: '$' + '{env:NOTES_TOKEN}' },
    },
    tools: [{ tool: 'read_note', risk: 'read', why: 'its name begins with `read`' }],
  });
  expect(text).toBe(`# yaml-language-server: $schema=../schema/server.schema.json
name: notes
title: "Notes: all of them"
transport:
  type: stdio
  command: npx
  args: ["-y", notes@1.2.3]
  env:
    TOKEN: "\${env:NOTES_TOKEN}"
pin: lock
tools:
  read_note: { risk: read } # its name begins with \`read\`
`);
});

test('a server over HTTP is rendered with its headers', () => {
  const headers = { Authorization: 'Bearer $' + '{env:CRM_TOKEN}' };
  const transport = { type: 'streamable-http', url: 'https://example.org/mcp', headers } as const;
  expect(readBack({ name: 'crm', transport, tools: [] }).get('crm')?.transport).toEqual(transport);
});

const MISTAKEN = [
  'yes',
  'null',
  '1e3',
  '.5',
  '0x10',
  '~',
  '',
  ' a',
  'a: b',
  '#x',
  '- a',
  '@a',
  '*a',
  '&a',
  '!a',
  '"',
  "'",
  '{',
  '%',
];

test.each(MISTAKEN)('the argument %j is read back as the text that it is', (text) => {
  const transport = { type: 'stdio', command: 'true', args: [text], env: {} } as const;
  expect(readBack({ name: 'x', transport, tools: [] }).get('x')?.transport).toEqual(transport);
});

test('every argument is read back unchanged', () => {
  const argument = fc
    .string({ unit: 'grapheme', maxLength: 40 })
    // UTF-8 cannot encode lone surrogates, and YAML refuses noncharacters.
    .filter((text) => text.isWellFormed() && !/\p{Noncharacter_Code_Point}/u.test(text));
  fc.assert(
    fc.property(argument, (text) => {
      const written = renderServerYaml({
        name: 'x',
        transport: { type: 'stdio', command: 'true', args: [`a ${text}`], env: {} },
        tools: [],
      });
      const { transport } = loadRegistry({ 'servers/x.yaml': written }).servers.get('x') ?? {};
      expect(transport).toMatchObject({ args: [`a ${text}`] });
    }),
  );
});

test('a tool name that YAML would parse as another type stays a string', () => {
  const tools = [{ tool: 'null', risk: 'write', why: 'x' } as const, { tool: '1.5', risk: 'read', why: 'x' } as const];
  const transport = { type: 'stdio', command: 'true', args: [], env: {} } as const;
  expect([...(readBack({ name: 'x', transport, tools }).get('x')?.tools.keys() ?? [])].sort()).toEqual(['1.5', 'null']);
});
