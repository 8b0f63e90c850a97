/** The host of a URL whose letters are not all ASCII, as its owner registered it (`xn--…`); undefined where they are. */
export function idnHost(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return hostname.split('.').some((label) => label.startsWith('xn--')) ? hostname : undefined;
}
