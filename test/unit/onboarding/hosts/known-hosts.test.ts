import { expect, test } from 'vitest';
import { configLocations } from '../../../../src/onboarding/hosts/known-hosts.ts';

const filesOf = (platform: string, env: Record<string, string> = {}): string[] =>
  configLocations({
    userHome: platform === 'win32' ? 'C:\\Users\\ana' : '/home/ana',
    platform,
    env,
    project: '/p',
  }).map(({ host, scope, file }) => `${host} ${scope} ${file}`);

test('on Linux the files of the user are in the home directory and in `.config`', () => {
  expect(filesOf('linux')).toEqual([
    'claude-code local /home/ana/.claude.json',
    'claude-code project /p/.mcp.json',
    'claude-code user /home/ana/.claude.json',
    'claude-desktop user /home/ana/.config/Claude/claude_desktop_config.json',
    'cursor project /p/.cursor/mcp.json',
    'cursor user /home/ana/.cursor/mcp.json',
    'vscode project /p/.vscode/mcp.json',
    'vscode user /home/ana/.config/Code/User/mcp.json',
    'cline user /home/ana/.cline/data/settings/cline_mcp_settings.json',
    'cline user /home/ana/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
  ]);
});

test('XDG_CONFIG_HOME and CLAUDE_CONFIG_DIR move the same files as in the hosts themselves', () => {
  const files = filesOf('linux', { XDG_CONFIG_HOME: '/conf', CLAUDE_CONFIG_DIR: '/claude' });
  expect(files).toContain('claude-desktop user /conf/Claude/claude_desktop_config.json');
  expect(files).toContain('vscode user /conf/Code/User/mcp.json');
  expect(files).toContain('claude-code user /claude/.claude.json');
});

test('a project in the home directory lists no file twice', () => {
  const locations = configLocations({ userHome: '/home/ana', platform: 'linux', env: {}, project: '/home/ana' });
  expect(locations.filter(({ host }) => host === 'cursor').map(({ scope }) => scope)).toEqual(['user']);
});

test('on macOS desktop programs use the library directory', () => {
  expect(filesOf('darwin')).toContain(
    'claude-desktop user /home/ana/Library/Application Support/Claude/claude_desktop_config.json',
  );
});

test('on Windows desktop programs use the roaming application data', () => {
  expect(filesOf('win32')).toContain('vscode user C:\\Users\\ana\\AppData\\Roaming\\Code\\User\\mcp.json');
  expect(filesOf('win32', { APPDATA: 'D:\\Roaming' })).toContain(
    'claude-desktop user D:\\Roaming\\Claude\\claude_desktop_config.json',
  );
});

test('the `local` servers of Claude Code are under the path of their project', () => {
  const [location] = configLocations({ userHome: '/home/ana', platform: 'linux', env: {}, project: '/home/ana/shop' });
  expect(location?.path).toEqual(['projects', '/home/ana/shop', 'mcpServers']);
});
