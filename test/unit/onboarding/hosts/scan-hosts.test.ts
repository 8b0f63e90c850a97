import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ConfiguredServer, ConfigValue } from '../../../../src/onboarding/hosts/configured-server.ts';
import { readServerFiles, scanHosts } from '../../../../src/onboarding/hosts/scan-hosts.ts';

const DATA = resolve(import.meta.dirname, '../../../fixtures/data/hosts');

/** One server as one line: its location, its name, and each value. */
function lineOf({ host, scope, name, transport, isDisabled, at }: ConfiguredServer): string {
  const pairs = (values: Readonly<Record<string, ConfigValue>>): string[] =>
    Object.entries(values).map(([key, { text }]) => `${key}=${text}`);
  const parts =
    transport.type === 'stdio'
      ? [transport.command.text, ...transport.args.map(({ text }) => text), ...pairs(transport.env)]
      : [transport.url.text, ...pairs(transport.headers)];
  const position = at.slice(at.lastIndexOf('/') + 1);
  return `${host ?? '-'} ${scope ?? '-'} ${position} ${name}${isDisabled ? ' (disabled)' : ''}: ${parts.join(' ')}`;
}

describe('a machine with a config file of every host', () => {
  const scan = scanHosts({ userHome: `${DATA}/home`, platform: 'linux', env: {}, project: `${DATA}/project` });

  test('each server is found with its position, and without its secrets', () => {
    expect(scan.servers.map(lineOf).map((line) => line.replaceAll(DATA, ''))).toEqual([
      'claude-code project .mcp.json:3:5 api: ${env:API_BASE_URL}/mcp Authorization=Bearer ${env:API_KEY}',
      'claude-code project .mcp.json:8:5 memory: npx -y @modelcontextprotocol/server-memory MEMORY_FILE_PATH=/tmp/memory.json',
      'claude-code user .claude.json:5:5 sentry: https://mcp.sentry.dev/mcp',
      'claude-desktop user claude_desktop_config.json:4:5 filesystem: npx -y @modelcontextprotocol/server-filesystem /home/ana/Documents',
      'claude-desktop user claude_desktop_config.json:8:5 github: docker run -i --rm -e GITHUB_PERSONAL_ACCESS_TOKEN ghcr.io/github/github-mcp-server GITHUB_PERSONAL_ACCESS_TOKEN=${env:GITHUB_PERSONAL_ACCESS_TOKEN}',
      'cursor project mcp.json:3:5 local: /project/bin/server --config /home/.config/server.toml API_KEY=${env:SHOP_API_KEY}',
      'cursor user mcp.json:3:5 notion: https://mcp.notion.com/mcp Authorization=Bearer ${env:NOTION_TOKEN}',
      'cursor user mcp.json:4:5 figma: npx -y figma-developer-mcp --figma-api-key=${env:FIGMA_API_KEY} --stdio',
      'vscode project mcp.json:8:5 github: https://api.githubcopilot.com/mcp/',
      'vscode project mcp.json:9:5 perplexity: npx -y server-perplexity-ask PERPLEXITY_API_KEY=${env:PERPLEXITY_KEY} REGION=${env:REGION}',
      'vscode user mcp.json:3:3 playwright: npx @playwright/mcp@latest',
      'cline user cline_mcp_settings.json:3:5 weather (disabled): node /home/ana/weather/build/index.js',
      'cline user cline_mcp_settings.json:11:5 context7: https://mcp.context7.com/mcp CONTEXT7_API_KEY=${env:CONTEXT7_API_KEY}',
    ]);
  });

  test('each entry that cannot be imported as it is has a problem', () => {
    expect(scan.problems.map(({ at, code }) => `${at.slice(at.lastIndexOf('/') + 1)} ${code}`)).toEqual([
      '.claude.json:4:25 hosts-transport-unsupported',
      'mcp.json:7:18 hosts-variable-unknown',
      'mcp.json:4:72 hosts-secret-in-arguments',
    ]);
  });
});

test('of the `local` servers in the file of Claude Code only those of the project are read', () => {
  const machine = { userHome: `${DATA}/home`, platform: 'linux', env: {}, project: '/home/ana/shop' };
  const local = scanHosts(machine).servers.filter(({ scope }) => scope === 'local');
  expect(local.map(lineOf)).toEqual([
    'claude-code local .claude.json:11:9 postgres: uvx postgres-mcp DATABASE_URI=${env:DATABASE_URI}',
  ]);
});

test('a machine without a host gives no servers and no problems', () => {
  expect(scanHosts({ userHome: '/nowhere', platform: 'linux', env: {}, project: '/nowhere' })).toEqual({
    configs: [],
    servers: [],
    problems: [],
  });
});

test('a manifest of the MCP registry is one server, from its first usable package', () => {
  const { servers, problems } = readServerFiles([`${DATA}/server.json`], { userHome: '/h', project: '/p' });
  expect(servers.map(lineOf)).toEqual([
    '- - server.json:3:3 io.github.example/weather: npx -y @example/weather-mcp@1.2.0 serve --units metric WEATHER_API_KEY=${env:WEATHER_API_KEY} WEATHER_LOG_LEVEL=info',
  ]);
  expect(problems).toEqual([]);
});

test('a named file that does not exist is a problem', () => {
  const { problems } = readServerFiles(['/nowhere/mcp.json'], { userHome: '/h', project: '/p' });
  expect(problems.map(({ code, at }) => `${at} ${code}`)).toEqual(['/nowhere/mcp.json config-unreadable']);
});
