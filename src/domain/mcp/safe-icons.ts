import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';

/**
 * A definition without the icons that agents are not shown: all but those at `https:` and images in `data:` URIs (MCP
 * 2026-07-28, basic, "Icons": a client that follows `javascript:`, `file:` or `http:` runs, reads or tells what it
 * should not). The same object where nothing is left out. Pins and digests are of the definition as it was declared,
 * and links in results are content: they are not touched.
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
  // As browsers read it: they take `java\nscript:` for `javascript:`.
  const { protocol, pathname } = new URL(icon.src);
  return protocol === 'https:' || (protocol === 'data:' && /^image\/[a-z0-9.+-]+[;,]/i.test(pathname));
}
