import { expect, test } from 'vitest';
import { configLocations } from '../../../../src/onboarding/hosts/known-hosts.ts';

const filesOf = (platform: string, env: Record<string, string> = {}): string[] =>
  configLocations({
    userHome: platform === 'win32' ? 'C:\\Users\\ana' : '/home/ana',
    platform,
    env,
    project: '/p',
  }).map(({ host, scope, file }) => `${host} ${scope} ${file}`);

test('on Linux what is the user’s lies in the home directory and below `.config`', () => {
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

test('XDG_CONFIG_HOME and CLAUDE_CONFIG_DIR move what they move for the hosts themselves', () => {
  const files = filesOf('linux', { XDG_CONFIG_HOME: '/conf', CLAUDE_CONFIG_DIR: '/claude' });
  expect(files).toContain('claude-desktop user /conf/Claude/claude_desktop_config.json');
  expect(files).toContain('vscode user /conf/Code/User/mcp.json');
  expect(files).toContain('claude-code user /claude/.claude.json');
});

test('in the home directory no file is both the user’s and the project’s', () => {
  const places = configLocations({ userHome: '/home/ana', platform: 'linux', env: {}, project: '/home/ana' });
  expect(places.filter(({ host }) => host === 'cursor').map(({ scope }) => scope)).toEqual(['user']);
});

test('on macOS programs with a window keep theirs in the library', () => {
  expect(filesOf('darwin')).toContain(
    'claude-desktop user /home/ana/Library/Application Support/Claude/claude_desktop_config.json',
  );
});

test('on Windows they keep theirs in the roaming application data', () => {
  expect(filesOf('win32')).toContain('vscode user C:\\Users\\ana\\AppData\\Roaming\\Code\\User\\mcp.json');
  expect(filesOf('win32', { APPDATA: 'D:\\Roaming' })).toContain(
    'claude-desktop user D:\\Roaming\\Claude\\claude_desktop_config.json',
  );
});

test('servers of one project stand below its path in the file of Claude Code', () => {
  const [place] = configLocations({ userHome: '/home/ana', platform: 'linux', env: {}, project: '/home/ana/shop' });
  expect(place?.path).toEqual(['projects', '/home/ana/shop', 'mcpServers']);
});
