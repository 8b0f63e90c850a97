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

/** Runs `connect` as a person whose home directory is the test's. */
function connect(...args: readonly string[]): Promise<Ran> {
  return home.run(['connect', ...args], { env: { HOME: home.dir, XDG_CONFIG_HOME: '' } });
}

function put(path: string, text: string): void {
  mkdirSync(dirname(home.path(path)), { recursive: true });
  writeFileSync(home.path(path), text);
}

const text = (path: string): string => readFileSync(home.path(path), 'utf8');

/** A text with the paths of this run taken out, as golden files hold it. */
function placed(shown: string): string {
  return shown
    .replaceAll(home.dir, '<home>')
    .replaceAll(home.command, '<command>')
    .replaceAll(process.execPath, '<node>')
    .replaceAll(/seneschal-[0-9a-f]{12}/g, 'seneschal-<digest>');
}

describe('connecting a host', () => {
  test('without a registry it is said how one is made, and nothing is written', async () => {
    rmSync(home.path('registry'), { recursive: true });
    const { code, stderr } = await connect('cursor');
    expect([code, stderr.replaceAll(home.dir, '<home>')]).toEqual([
      2,
      '<home>/registry: there is no registry here  (config-unreadable)\n' +
        'hint: run `seneschal init` to make one, or name another with `--registry`\n',
    ]);
    expect(existsSync(home.path(CURSOR))).toBe(false);
  });

  test('says which variables the tool servers need, since a host that starts the broker may not pass them on', async () => {
    home.write({
      'registry/servers/crm.yaml':
        'name: crm\ntransport: { type: streamable-http, url: "http://127.0.0.1:9/mcp", headers: { a: "Bearer ${env:CRM_TOKEN}" } }\n',
    });
    const { code, stderr } = await connect('cursor');
    expect([code, stderr]).toEqual([0, 'the tool servers need CRM_TOKEN: run `seneschal serve` where it is set\n']);
  });

  test('adds one entry, keeps what was there, and is taken back byte for byte', async () => {
    put(CURSOR, OLD);
    const connected = await connect('cursor');
    expect([connected.code, placed(text(CURSOR))]).toEqual([
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

  test('is done once: a second run changes nothing and says so', async () => {
    put(CURSOR, OLD);
    await connect('cursor');
    const once = text(CURSOR);
    const again = await connect('cursor');
    expect(placed(again.stdout)).toBe('Cursor: is connected already, nothing was changed (<home>/.cursor/mcp.json)\n');
    expect([text(CURSOR), readdirSync(home.path('.cursor')).length]).toEqual([once, 2]);
  });

  test('writes an entry by which an agent really reaches its tools', async () => {
    await connect('vscode');
    const { servers } = JSON.parse(text(CODE)) as { servers: { seneschal: McpEntry } };
    const client = await connectClient('v2-modern', servers.seneschal);
    expect((await client.call('tools__echo', { nonce: 'n' })).structuredContent).toEqual({ nonce: 'n' });
    await client.close();
  });

  test('connects a host to one server or virtual server alone, over stdio and over HTTP', async () => {
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
      '--server: the registry has no server `dsk`  (registry-unknown-server)\nhint: there are tools\n',
    ],
    [
      ['--server', 'tools', '--url', 'https://h/mcp'],
      '--server: `--url` says which path it is  (settings-invalid)\n' +
        'hint: write `/v/<name>/mcp` or `/servers/<name>/mcp` at the end of the url, and leave `--server` away\n',
    ],
  ])('with %s it says what is wrong and writes nothing', async (flags, answers) => {
    const { code, stderr } = await connect('cursor', ...flags);
    expect([code, stderr, existsSync(home.path(CURSOR))]).toEqual([2, answers, false]);
  });

  test('tells what it did, and which servers go around the broker', async () => {
    put(CURSOR, OLD);
    put('.cline/data/settings/cline_mcp_settings.json', '{"mcpServers":{"old":{"url":"https://h/mcp"}}}');
    const { stdout, stderr } = await connect('cursor', 'cline', 'claude-code');
    expectGolden('connect.txt', placed(`${stdout}--- on standard error\n${stderr}`));
  });

  test('takes the other servers out where that is asked for, and --undo brings them back', async () => {
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

describe('what is only shown', () => {
  test.each([
    ['dry-run', ['cursor', '--replace-servers', '--dry-run']],
    ['print-http', ['claude-code', 'cursor', 'vscode', '--http', '--print']],
    ['managed', ['claude-code', 'vscode', 'cursor', 'cline', 'claude-desktop', '--managed']],
  ])('%s reads as in its golden file, holds no secret and writes nothing', async (name, args) => {
    put(CURSOR, OLD);
    const { code, stdout, stderr } = await connect(...args);
    expect([code, stderr, text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([0, '', OLD, ['mcp.json']]);
    expect(stdout).not.toContain('ntn_4918');
    expectGolden(`connect-${name}.txt`, placed(stdout));
  });

  test('without a host every config file is listed, with its servers', async () => {
    put(CURSOR, OLD);
    await connect('vscode');
    const { stdout } = await connect();
    expect(placed(stdout)).toBe(
      [
        'HOST    SCOPE  CONNECTED  OTHER SERVERS  FILE',
        'cursor  user   no         notion         <home>/.cursor/mcp.json',
        'vscode  user   yes        -              <home>/.config/Code/User/mcp.json\n',
      ].join('\n'),
    );
  });
});

describe('what is refused changes nothing', () => {
  test('a file that is not JSON, also where another host is in order', async () => {
    put(CURSOR, '{ "mcpServers": ');
    const { code, stderr } = await connect('vscode', 'cursor');
    expect([code, placed(stderr).split('\n')[0]]).toEqual([
      2,
      '<home>/.cursor/mcp.json:1:17: this is not JSON: a value is missing  (hosts-syntax)',
    ]);
    expect(readdirSync(home.dir)).not.toContain('.config');
  });

  test('a file that cannot be written, and the hosts before it are as they were', async () => {
    put(CURSOR, OLD);
    put('.config/Code', 'a file where a directory should be');
    const { code, stderr } = await connect('cursor', 'vscode');
    expect([code, stderr]).toEqual([1, expect.stringContaining('(hosts-file-unwritable)')]);
    expect([text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([OLD, ['mcp.json']]);
  });

  test('an undo of a file that was edited since, until it is forced', async () => {
    put(CURSOR, OLD);
    await connect('cursor');
    put(CURSOR, '{}');
    const { code, stderr } = await connect('cursor', '--undo');
    expect([code, stderr, text(CURSOR)]).toEqual([1, expect.stringContaining('(hosts-file-changed)'), '{}']);
    await connect('cursor', '--undo', '--force');
    expect(text(CURSOR)).toBe(OLD);
  });

  test.each([
    [['cursr'], 'cursr: there is no agent host of that name  (hosts-unknown)\nhint: did you mean `cursor`?'],
    [['cursor', '--agent', 'unknown'], 'no file declares the agent `unknown`  (identity-unknown-agent)'],
    [['cursor', '--undo'], 'no backup of this file lies beside it  (hosts-backup-missing)'],
    [
      ['claude-desktop', '--http'],
      'the config file of Claude Desktop starts programs and takes no url  (hosts-http-unsupported)',
    ],
    [['cursor', '--url', 'ftp://h'], 'this is no http url without user and password  (settings-invalid)'],
    [['cursor', '--http', '--port', '0'], '`--port` does not say where the broker is reached  (settings-invalid)'],
    [['cline', '--scope', 'project'], 'Cline reads no file of this project  (hosts-unknown)'],
    [['cursor', '--print', '--undo'], '`--print` and `--undo` ask for different things  (settings-invalid)'],
    [['cursor', '--force'], '`--force` has a meaning with `--undo` alone  (settings-invalid)'],
  ])('connect %j', async (args, said) => {
    put(CURSOR, OLD);
    const { code, stderr } = await connect(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    expect([text(CURSOR), readdirSync(home.path('.cursor'))]).toEqual([OLD, ['mcp.json']]);
  });

  test('several agents, of which none is named', async () => {
    home.write({ 'registry/agents/other.yaml': 'name: other\nowner: ana@example.org\n' });
    const { code, stderr } = await connect('cursor');
    expect([code, stderr]).toEqual([2, expect.stringContaining('hint: declared are demo, other')]);
  });
});
