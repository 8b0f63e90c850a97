import { expect, test } from 'vitest';
import type { ReadResult } from '../../../../src/onboarding/hosts/configured-server.ts';
import { readServerFile } from '../../../../src/onboarding/hosts/read-config.ts';
import { VariableNames } from '../../../../src/onboarding/hosts/variable-names.ts';

function read(manifest: object): ReadResult {
  const text = JSON.stringify({ name: 'com.example/crm', version: '1.0.0', ...manifest });
  return readServerFile('server.json', text, { userHome: '/h', project: '/p', names: new VariableNames() });
}

function command(result: ReadResult): string {
  const transport = result.servers[0]?.transport;
  if (transport?.type !== 'stdio') return 'no stdio';
  return [transport.command, ...transport.args].map(({ text }) => text).join(' ');
}

const stdio = { transport: { type: 'stdio' } };

test('a PyPI package runs with uvx at its version', () => {
  expect(command(read({ packages: [{ registryType: 'pypi', identifier: 'crm-mcp', version: '2.1', ...stdio }] }))).toBe(
    'uvx crm-mcp@2.1',
  );
});

test('an image runs with docker, which passes its variables by name', () => {
  const result = read({
    packages: [
      {
        registryType: 'oci',
        identifier: 'ghcr.io/example/crm:1.0.0',
        runtimeArguments: [{ type: 'named', name: '--network', value: 'none' }],
        environmentVariables: [{ name: 'CRM_TOKEN', isRequired: true, isSecret: true }],
        ...stdio,
      },
    ],
  });
  expect(command(result)).toBe('docker run -i --rm --network none -e CRM_TOKEN ghcr.io/example/crm:1.0.0');
});

test('a required argument without a value becomes a variable', () => {
  const packageArguments = [{ type: 'positional', valueHint: 'data_dir', isRequired: true }];
  expect(command(read({ packages: [{ registryType: 'npm', identifier: 'crm', packageArguments, ...stdio }] }))).toBe(
    'npx -y crm ${env:CRM_DATA_DIR}',
  );
});

test('a remote has its expanded url, and a reference in its header', () => {
  const result = read({
    remotes: [
      {
        type: 'streamable-http',
        url: 'https://{region}.example.com/mcp',
        variables: { region: { default: 'eu' } },
        headers: [
          {
            name: 'Authorization',
            value: 'Bearer {token}',
            variables: { token: { isRequired: true, isSecret: true, description: 'Access token' } },
          },
        ],
      },
    ],
  });
  expect(result.servers[0]?.transport).toEqual({
    type: 'http',
    url: { text: 'https://eu.example.com/mcp', variables: [] },
    headers: {
      Authorization: {
        text: 'Bearer ${env:CRM_TOKEN}',
        variables: [{ name: 'CRM_TOKEN', origin: 'declared', isSecret: true, description: 'Access token' }],
      },
    },
  });
});

test('a manifest without a usable part gives a problem for each part', () => {
  const result = read({
    packages: [{ registryType: 'cargo', identifier: 'crm' }],
    remotes: [{ type: 'sse', url: 'https://h/sse' }],
  });
  expect(result.servers).toEqual([]);
  expect(result.problems.map(({ message }) => message)).toEqual([
    'packages of the registry type `cargo` are not supported',
    'the transport `sse` is not supported',
  ]);
});
