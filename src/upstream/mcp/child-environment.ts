/** What a child process gets of the broker's own environment: nothing that may hold a secret. */
const INHERITED_VARIABLES = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
] as const;

/**
 * The environment of a tool server: the few inherited variables, then the declared ones. A value that begins with
 * `()` is an exported shell function and is left out, as in the SDK.
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  declared: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) {
    const value = inherited[name];
    if (value !== undefined && !value.startsWith('()')) environment[name] = value;
  }
  return Object.assign(environment, declared);
}
