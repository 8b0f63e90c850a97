import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ledgerOf } from '../../fixtures/homes/governed-home.ts';
import { Home, type Ran } from '../../fixtures/homes/home.ts';
import { type HttpUpstream, legacyHandler, sendJson, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';

const OFFICIAL = resolve(import.meta.dirname, '../../../node_modules/@modelcontextprotocol');
const INSPECTOR = resolve(import.meta.dirname, '../../../node_modules/.bin/mcp-inspector');

/** Secrets in clear text in a config file. */
const SECRETS = {
  memory: 'ghp_q7Rk2mZx9LpT4vWb8NsYc3DfHg6JtUeA1o5i',
  crm: 'crm-9f8e7d6c5b4a39281706',
  broken: 'sk-live-0a1b2c3d4e5f6a7b8c9d',
};

let home: Home;

afterEach(() => home.close());

/** Answers requests that have the token. */
function crmServer(): Promise<HttpUpstream> {
  const answering = legacyHandler({
    get_customer: ({ message }, response) => sendJson(response, textResponse(message.id, 'Ana of Example Ltd')),
  });
  return serveHttp((asked, response) => {
    if (asked.headers.authorization === `Bearer ${SECRETS.crm}`) answering(asked, response);
    else sendJson(response, { jsonrpc: '2.0', id: asked.message.id, error: { code: -32000, message: 'who?' } }, 401);
  });
}

/** Four servers in a host's config file: two over stdio, one over HTTP, and one that exits at once. */
function config(url: string): string {
  const broken = "console.error('login failed for ' + process.env.API_KEY + '\\u001b[2J'); process.exit(3)";
  return JSON.stringify({
    mcpServers: {
      Files: {
        command: process.execPath,
        args: [join(OFFICIAL, 'server-filesystem/dist/index.js'), home.path('files')],
      },
      memory: {
        command: process.execPath,
        args: [join(OFFICIAL, 'server-memory/dist/index.js')],
        env: { MEMORY_FILE_PATH: home.path('memory.jsonl'), GITHUB_TOKEN: SECRETS.memory },
      },
      crm: { type: 'http', url, headers: { Authorization: `Bearer ${SECRETS.crm}` } },
      broken: { command: process.execPath, args: ['-e', broken], env: { API_KEY: SECRETS.broken } },
    },
  });
}

async function homeWithConfig(): Promise<HttpUpstream> {
  home = new Home();
  const crm = await crmServer();
  home.write({ 'mcp.json': config(crm.url), 'files/welcome.md': 'Welcome to the shop.\n' });
  return crm;
}

/** One call through the Inspector, over `seneschal stdio`. */
function inspect(tool: string, ...args: readonly string[]): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: home.dir, MCP_INSPECTOR_SECRET_STORE: 'memory' };
  const entry = [process.execPath, home.command, 'stdio', '--agent', 'me', '--data', home.path('data')];
  const call = ['--method', 'tools/call', '--tool-name', tool, ...args.flatMap((arg) => ['--tool-arg', arg])];
  return new Promise((done) => {
    const child = execFile(INSPECTOR, ['--cli', ...entry, ...call], { cwd: home.dir, env }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** Every file in these directories of the home that contains a text. */
function filesWith(text: string, ...dirs: readonly string[]): readonly string[] {
  return dirs.flatMap((dir) =>
    readdirSync(home.path(dir), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path).includes(text)),
  );
}

test('`init`, `serve` and an agent lead from a config file to governed calls', async () => {
  const crm = await homeWithConfig();
  const written = await home.run(['init', '--from', 'mcp.json', '--yes']);
  expect(written.code, written.stderr).toBe(0);
  expect(crm.received.map(({ headers }) => headers.authorization)).toContain(`Bearer ${SECRETS.crm}`);
  await home.serve({ env: { GITHUB_TOKEN: SECRETS.memory, CRM_TOKEN: SECRETS.crm } });
  const file = await inspect('files__read_text_file', `path=${home.path('files/welcome.md')}`);
  expect(file.stdout, file.stderr).toContain('Welcome to the shop.');
  const customer = await inspect('crm__get_customer');
  expect(customer.stdout, customer.stderr).toContain('Ana of Example Ltd');
  const calls = ledgerOf(home).filter(({ kind }) => kind.startsWith('call.'));
  expect(calls.every(({ entry }) => entry.principal === 'agent:me')).toBe(true);
  // The file server requests the roots of the Inspector, which the starter policy allows.
  expect(calls.map(({ kind, entry }) => [kind, entry.action])).toEqual([
    ['call.admitted', 'call'],
    ['call.admitted', 'roots'],
    ['call.closed', 'roots'],
    ['call.closed', 'call'],
    ['call.admitted', 'call'],
    ['call.closed', 'call'],
  ]);
});

test('no secret of the config file is in a written file or in the output', async () => {
  await homeWithConfig();
  const { stdout, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes']);
  for (const secret of Object.values(SECRETS)) {
    expect(filesWith(secret, 'registry', 'policies', 'data')).toEqual([]);
    expect(`${stdout}${stderr}`).not.toContain(secret);
  }
  const memory = readFileSync(home.path('registry/servers/memory.yaml'), 'utf8');
  expect(memory).toContain(`    GITHUB_TOKEN: "\${env:GITHUB_TOKEN}"\n`);
  const crm = readFileSync(home.path('registry/servers/crm.yaml'), 'utf8');
  expect(crm).toContain(`    Authorization: "Bearer \${env:CRM_TOKEN}"\n`);
  expect(stderr).toMatch(/^export GITHUB_TOKEN=… {3}# for memory; in clear text at mcp\.json:1:\d+/m);
  expect(stderr).toMatch(/^export CRM_TOKEN=… {3}# for crm; /m);
});

test('a server that does not start is left out, with its last line of stderr and without its secret', async () => {
  await homeWithConfig();
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes']);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^warning: mcp\.json:1:\d+: cannot list the tools of `broken`: .*\(exit code 3\); last line of its stderr: login failed for \[secret\]\\u001b\[2J {2}\(registry-server-unanswered\)$/m,
  );
  expect(readdirSync(home.path('registry/servers')).sort()).toEqual(['crm.yaml', 'files.yaml', 'memory.yaml']);
});

test('the home is complete: its tests pass without warnings, and the ledger has who agreed to what', async () => {
  await homeWithConfig();
  await home.run(['init', '--from', 'mcp.json', '--yes', '--owner', 'ana@example.org', '--agent', 'desk']);
  expect(await home.run(['policy', 'test'])).toMatchObject({ code: 0, stdout: '27 checked, 0 failed\n' });
  expect(await home.run(['policy', 'check'])).toMatchObject({ code: 0, stdout: '' });
  const diff = await home.run(['registry', 'diff'], { env: { GITHUB_TOKEN: 'x', CRM_TOKEN: SECRETS.crm } });
  expect(diff, diff.stderr).toMatchObject({ code: 0, stdout: '' });
  expect(readFileSync(home.path('registry/agents/desk.yaml'), 'utf8')).toContain('owner: ana@example.org\n');
  const entries = ledgerOf(home).map(({ entry }) => entry);
  const added = entries.filter(({ kind }) => kind === 'server.added');
  expect(added.map(({ detail, principal }) => [detail, principal])).toEqual([
    [{ server: 'files', tools: 14 }, `os-user:${process.getuid?.()}`],
    [{ server: 'memory', tools: 9 }, `os-user:${process.getuid?.()}`],
    [{ server: 'crm', tools: 1 }, `os-user:${process.getuid?.()}`],
  ]);
  expect(entries.filter(({ kind }) => kind === 'tool.pinned')).toHaveLength(24);
});

test('a dry run prints every file and writes nothing', async () => {
  await homeWithConfig();
  const { code, stdout } = await home.run(['init', '--from', 'mcp.json', '--dry-run']);
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => line.startsWith('--- '))).toHaveLength(13);
  expect(stdout).toContain('p, agent:me, set:read, ');
  const json = await home.run(['init', '--from', 'mcp.json', '--dry-run', '--output', 'json']);
  const { files } = JSON.parse(json.stdout) as { files: { path: string; text: string }[] };
  expect(files.map(({ path }) => path.slice(home.dir.length + 1))).toContain('registry/servers/crm.yaml');
  expect(readdirSync(home.dir).sort()).toEqual(['files', 'mcp.json']);
});

test('without a terminal and without `--yes` nothing is started and nothing is written', async () => {
  const crm = await homeWithConfig();
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json']);
  expect(code).toBe(2);
  expect(stderr).toContain('(registry-not-agreed)\nhint: add `--yes`, or run the command on a terminal');
  expect(crm.received).toEqual([]);
  expect(readdirSync(home.dir).sort()).toEqual(['files', 'mcp.json']);
});

test('an existing home is never overwritten; `--force` moves it aside', async () => {
  await homeWithConfig();
  home.write({ 'policies/policy.csv': '# mine\n' });
  const refused = await home.run(['init', '--from', 'mcp.json', '--yes']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('policies: the directory exists already; nothing was changed  (init-home-exists)');
  expect(existsSync(home.path('registry'))).toBe(false);
  const forced = await home.run(['init', '--from', 'mcp.json', '--yes', '--force']);
  expect(forced.code, forced.stderr).toBe(0);
  expect(readFileSync(home.path('policies.before-init/policy.csv'), 'utf8')).toBe('# mine\n');
  expect(readFileSync(home.path('policies/policy.csv'), 'utf8')).toContain('p, agent:me, ');
});

test('if no server works, nothing is written', async () => {
  home = new Home();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { gone: { command: home.path('nowhere') } } }) });
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes']);
  expect(code).toBe(1);
  expect(stderr).toContain('cannot list the tools of `gone`');
  expect(stderr).toContain('(init-nothing-found)');
  expect(readdirSync(home.dir)).toEqual(['mcp.json']);
});

test('`--discover` reads the config files of the hosts, and leaves out the broker itself', async () => {
  await homeWithConfig();
  const self = { seneschal: { command: 'npx', args: ['seneschal', 'stdio', '--agent', 'me'] } };
  home.write({ '.claude.json': JSON.stringify({ mcpServers: { ...self, notes: memoryEntry() } }) });
  const { code, stderr } = await home.run(['init', '--discover', '--yes'], { env: { HOME: home.dir } });
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('`seneschal` is Seneschal itself');
  expect(readdirSync(home.path('registry/servers'))).toEqual(['notes.yaml']);
});

function memoryEntry(): object {
  const env = { MEMORY_FILE_PATH: home.path('notes.jsonl') };
  return { command: process.execPath, args: [join(OFFICIAL, 'server-memory/dist/index.js')], env };
}

test('warnings about the new policies name the final paths', async () => {
  home = new Home();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { notes: memoryEntry() } }) });
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--template', 'team', '--yes']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(
    `warning: ${home.path('policies/policy.csv')}:6:4: no agent has the role \`role:contributor\``,
  );
});

test('the template ci grants only the named tools', async () => {
  home = new Home();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { notes: memoryEntry() } }) });
  const flags = ['--template', 'ci', '--agent', 'nightly', '--allow', 'notes/create_entities'];
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes', ...flags]);
  expect(code, stderr).toBe(0);
  const rows = readFileSync(home.path('policies/policy.csv'), 'utf8')
    .split('\n')
    .filter((line) => /^[pg]/.test(line));
  expect(rows).toEqual(['p, agent:nightly, tool:notes/create_entities, call, , allow']);
  const unknown = await home.run(['init', '--from', 'mcp.json', '--dry-run', '--template', 'ci', '--allow', 'notes/x']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('none of the servers has a tool `tool:notes/x`');
});
