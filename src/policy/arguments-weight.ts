import type { JsonValue } from '../lib/json.ts';

/**
 * True when no list or map in `value` has more than `listLength` members, and members and characters together are at most
 * `weight`. Stops at the first excess, so that it costs at most `weight`; walks without recursion.
 */
export function fitsArgumentLimits(
  value: JsonValue,
  limits: { readonly listLength: number; readonly weight: number },
): boolean {
  let weight = 0;
  const pending: JsonValue[] = [value];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    if (typeof item === 'string') weight += item.length;
    if (weight > limits.weight) return false;
    if (typeof item !== 'object' || item === null) continue;
    const members: readonly JsonValue[] = Array.isArray(item) ? item : Object.values(item);
    weight += members.length;
    if (members.length > limits.listLength || weight > limits.weight) return false;
    for (const member of members) pending.push(member);
  }
  return true;
}
