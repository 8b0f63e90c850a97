import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDataDirectoryHolder } from '../../../src/storage/data-directory.ts';
import { connectClient, type McpEntry } from '../../fixtures/clients/mcp-clients.ts';
import { endHolder } from '../../fixtures/clients/stdio-shim.ts';
import { expectGolden } from '../../fixtures/docs/golden.ts';
import { governedHome } from '../../fixtures/homes/governed-home.ts';
import type { Home, Ran } from '../../fixtures/homes/home.ts';

const CURSOR = '.cursor/mcp.json';
const CODE = '.config/Code/User/mcp.json';

const OLD = `{
  // what I use every day
  "mcpServers": {
    "notion": { "url": "https://mcp.notion.com/mcp", "headers": { "Authorization": "Bearer ntn_4918aBcDeFgHiJk" } }, // mine
  },
}
`;

let home: Home;

beforeEach(() => {
  home = governedHome();
});

afterEach(async () => {
  await endHolder(findDataDirectoryHolder(home.path('data'))?.pid);
  await home.close();
});

/** Runs `connect` with the directory of the test as the user's home. */
function connect(...args: readonly string[]): Promise<Ran> {
  return home.run(['connect', ...args], { env: { HOME: home.dir, XDG_CONFIG_HOME: '' } });
}

function put(path: string, text: string): void {
  mkdirSync(dirname(home.path(path)), { recursive: true });
  writeFileSync(home.path(path), text);
}

const text = (path: string): string => readFileSync(home.path(path), 'utf8');

/** Replaces the paths of this run by placeholders, as in golden files. */
function withPlaceholders(output: string): string {
  return output
    .replaceAll(home.dir, '<home>')
    .replaceAll(home.command, '<command>')
    .replaceAll(process.execPath, '<node>')
    .replaceAll(/seneschal-[0-9a-f]{12}/g, 'seneschal-<digest>');
}

describe('connecting a host', () => {
  test('without a registry the hint is `seneschal init`, and nothing is written', async () => {
    rmSync(home.path('registry'), { recursive: true });
    const { code, stderr } = await connect('cursor');
    expect([code, stderr.replaceAll(home.dir, '<home>')]).toEqual([
      2,
      '<home>/registry: there is no registry here  (config-unreadable)\n' +
        'hint: run `seneschal init` to create one, or name another directory with `--registry`\n',
    ]);
    expect(existsSync(home.path(CURSOR))).toBe(false);
  });

  test('names the variables that the tool servers need, because a host may not pass them on', async () => {
    home.write({
      'registry/servers/crm.yaml':
        'name: crm\ntransport: { type: streamable-http, url: "http://127.0.0.1:9/mcp", headers: { a: "Bearer ${env:CRM_TOKEN}" } }\n',
    });
    const { code, stderr } = await connect('cursor');
    expect([code, stderr]).toEqual([
      0,
      'the tool servers need CRM_TOKEN: run `seneschal serve` in a shell where it is set\n',
    ]);
  });

  test('adds one entry, keeps the rest, and is undone byte for byte', async () => {
    put(CURSOR, OLD);
    const connected = await connect('cursor');
    expect([connected.code, withPlaceholders(text(CURSOR))]).toEqual([
      0,
      `{
  // what I use every day
  "mcpServers": {
    "notion": { "url": "https://mcp.notion.com/mcp", "headers": { "Authorization": "Bearer ntn_4918aBcDeFgHiJk" } }, // mine
    "seneschal": {
      "type": "stdio",
      "command": "<node>",
      "args": [
        "<command>",
        "stdio",
        "--agent",
        "demo",
        "--data",
        "<home>/data",
        "--registry",
        "<home>/registry",
        "--policies",
        "<home>/policies"
      ]
    },
  },
}
`,
    ]);
    const undone = await connect('cursor', '--undo');
    expect([undone.code, text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([0, OLD, ['mcp.json']]);
  });

  test('a second run changes nothing and says so', async () => {
    put(CURSOR, OLD);
    await connect('cursor');
    const once = text(CURSOR);
    const again = await connect('cursor');
    expect(withPlaceholders(again.stdout)).toBe(
      'Cursor: already connected, nothing was changed (<home>/.cursor/mcp.json)\n',
    );
    expect([text(CURSOR), readdirSync(home.path('.cursor')).length]).toEqual([once, 2]);
  });

  test('writes an entry by which an agent calls its tools', async () => {
    await connect('vscode');
    const { servers } = JSON.parse(text(CODE)) as { servers: { seneschal: McpEntry } };
    const client = await connectClient('v2-modern', servers.seneschal);
    expect((await client.call('tools__echo', { nonce: 'n' })).structuredContent).toEqual({ nonce: 'n' });
    await client.close();
  });

  test('connects a host to only one server or virtual server, over stdio and over HTTP', async () => {
    home.write({ 'registry/virtual/desk.yaml': 'name: desk\ntools: { rename: { say: tools/echo } }\n' });
    await connect('vscode', '--server', 'desk');
    const { servers } = JSON.parse(text(CODE)) as { servers: { seneschal: McpEntry } };
    const client = await connectClient('v2-modern', servers.seneschal);
    expect((await client.list()).map(({ name }) => name)).toEqual(['say']);
    await client.close();
    const urls = await Promise.all(
      ['desk', 'tools'].map(async (server) => {
        const { stdout } = await connect('cursor', '--http', '--server', server, '--print');
        return /"url": "(.*)"/.exec(stdout)?.[1];
      }),
    );
    expect(urls).toEqual(['http://127.0.0.1:7411/v/desk/mcp', 'http://127.0.0.1:7411/servers/tools/mcp']);
  });

  test.each([
    [
      ['--server', 'dsk'],
      '--server: the registry has no server or virtual server `dsk`  (registry-unknown-server)\nhint: write `--server` and one of tools\n',
    ],
    [
      ['--server', 'tools', '--url', 'https://h/mcp'],
      '--server: `--server` and `--url` exclude each other, because the url has a path already  (settings-invalid)\n' +
        'hint: end the url with `/v/<name>/mcp` or `/servers/<name>/mcp`, and remove `--server`\n',
    ],
  ])('%s is refused, and nothing is written', async (flags, message) => {
    const { code, stderr } = await connect('cursor', ...flags);
    expect([code, stderr, existsSync(home.path(CURSOR))]).toEqual([2, message, false]);
  });

  test('reports the changes, and the servers that are reached without the broker', async () => {
    put(CURSOR, OLD);
    put('.cline/data/settings/cline_mcp_settings.json', '{"mcpServers":{"old":{"url":"https://h/mcp"}}}');
    const { stdout, stderr } = await connect('cursor', 'cline', 'claude-code');
    expectGolden('connect.txt', withPlaceholders(`${stdout}--- on standard error\n${stderr}`));
  });

  test('removes the other servers with `--replace-servers`, and --undo restores them', async () => {
    put(CURSOR, OLD);
    const { stderr } = await connect('cursor', '--replace-servers');
    expect([stderr, Object.keys(serversOf(CURSOR))]).toEqual(['', ['seneschal']]);
    await connect('cursor', '--undo');
    expect(text(CURSOR)).toBe(OLD);
  });
});

function serversOf(path: string): object {
  const withoutComments = text(path).replaceAll(/ *\/\/[^\n"]*$/gm, '');
  return (JSON.parse(withoutComments.replaceAll(/,(\s*})/g, '$1')) as { mcpServers: object }).mcpServers;
}

describe('output that changes no file', () => {
  test.each([
    ['dry-run', ['cursor', '--replace-servers', '--dry-run']],
    ['print-http', ['claude-code', 'cursor', 'vscode', '--http', '--print']],
    ['managed', ['claude-code', 'vscode', 'cursor', 'cline', 'claude-desktop', '--managed']],
  ])('%s matches its golden file, shows no secret and writes nothing', async (name, args) => {
    put(CURSOR, OLD);
    const { code, stdout, stderr } = await connect(...args);
    expect([code, stderr, text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([0, '', OLD, ['mcp.json']]);
    expect(stdout).not.toContain('ntn_4918');
    expectGolden(`connect-${name}.txt`, withPlaceholders(stdout));
  });

  test('without a host the command lists every config file with its servers', async () => {
    put(CURSOR, OLD);
    await connect('vscode');
    const { stdout } = await connect();
    expect(withPlaceholders(stdout)).toBe(
      [
        'HOST    SCOPE  CONNECTED  OTHER SERVERS  FILE',
        'cursor  user   no         notion         <home>/.cursor/mcp.json',
        'vscode  user   yes        -              <home>/.config/Code/User/mcp.json\n',
      ].join('\n'),
    );
  });
});

describe('a refused command changes nothing', () => {
  test('a file that is not JSON, even if another host is fine', async () => {
    put(CURSOR, '{ "mcpServers": ');
    const { code, stderr } = await connect('vscode', 'cursor');
    expect([code, withPlaceholders(stderr).split('\n')[0]]).toEqual([
      2,
      '<home>/.cursor/mcp.json:1:17: this is not valid JSON: missing value  (hosts-syntax)',
    ]);
    expect(readdirSync(home.dir)).not.toContain('.config');
  });

  test('a file that cannot be written, and the earlier hosts are unchanged', async () => {
    put(CURSOR, OLD);
    put('.config/Code', 'a file where a directory should be');
    const { code, stderr } = await connect('cursor', 'vscode');
    expect([code, stderr]).toEqual([1, expect.stringContaining('(hosts-file-unwritable)')]);
    expect([text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([OLD, ['mcp.json']]);
  });

  test('an undo of a file that was edited since, without `--force`', async () => {
    put(CURSOR, OLD);
    await connect('cursor');
    put(CURSOR, '{}');
    const { code, stderr } = await connect('cursor', '--undo');
    expect([code, stderr, text(CURSOR)]).toEqual([1, expect.stringContaining('(hosts-file-changed)'), '{}']);
    await connect('cursor', '--undo', '--force');
    expect(text(CURSOR)).toBe(OLD);
  });

  test.each([
    [['cursr'], 'cursr: unknown agent host  (hosts-unknown)\nhint: did you mean `cursor`?'],
    [['cursor', '--agent', 'unknown'], 'the registry has no agent `unknown`  (identity-unknown-agent)'],
    [['cursor', '--undo'], 'this file has no backup, so there is nothing to undo  (hosts-backup-missing)'],
    [
      ['claude-desktop', '--http'],
      'Claude Desktop cannot use a url: its config file only starts programs  (hosts-http-unsupported)',
    ],
    [['cursor', '--url', 'ftp://h'], 'not an http or https url without user and password  (settings-invalid)'],
    [['cursor', '--http', '--port', '0'], '`--port` does not determine the url of the broker  (settings-invalid)'],
    [['cline', '--scope', 'project'], 'Cline has no config file per project  (hosts-unknown)'],
    [['cursor', '--print', '--undo'], '`--print` and `--undo` exclude each other  (settings-invalid)'],
    [['cursor', '--force'], '`--force` is only for `--undo`  (settings-invalid)'],
  ])('connect %j', async (args, message) => {
    put(CURSOR, OLD);
    const { code, stderr } = await connect(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect([text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([OLD, ['mcp.json']]);
  });

  test('several agents without `--agent`', async () => {
    home.write({ 'registry/agents/other.yaml': 'name: other\nowner: ana@example.org\n' });
    const { code, stderr } = await connect('cursor');
    expect([code, stderr]).toEqual([2, expect.stringContaining('hint: write `--agent` and one of demo, other')]);
  });
});
