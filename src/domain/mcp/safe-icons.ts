import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';

/**
 * Removes icons from a definition unless they are `https:` URLs or `data:` images (MCP 2026-07-28, basic, "Icons": a
 * client that follows `javascript:`, `file:` or `http:` runs, reads or reveals what it should not). Returns the same
 * object if nothing is removed. Pins and digests use the declared definition. Links in results are content and stay.
 */
export function withSafeIcons(definition: JsonObject): JsonObject {
  const { icons, ...withoutIcons } = definition;
  if (icons === undefined) return definition;
  const safe = Array.isArray(icons) ? icons.filter(isSafeIcon) : [];
  if (Array.isArray(icons) && safe.length === icons.length) return definition;
  return safe.length === 0 ? withoutIcons : { ...withoutIcons, icons: safe };
}

function isSafeIcon(icon: JsonValue): boolean {
  if (!isJsonObject(icon) || typeof icon.src !== 'string' || !URL.canParse(icon.src)) return false;
  // The URL parser of browsers: it reads `java\nscript:` as `javascript:`.
  const { protocol, pathname } = new URL(icon.src);
  return protocol === 'https:' || (protocol === 'data:' && /^image\/[a-z0-9.+-]+[;,]/i.test(pathname));
}
