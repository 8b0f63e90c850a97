/** Longest name of the registry. */
const MAX_NAME_CHARACTERS = 63;

/**
 * The name of the registry that a free name becomes: `GitHub Issues` is `github-issues`. Undefined where nothing of it
 * may stand in one.
 */
export function toRegistryName(text: string): string | undefined {
  const name = text
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, MAX_NAME_CHARACTERS)
    .replace(/-+$/, '');
  return name === '' ? undefined : name;
}
