import { type FeatureTarget, type ServerTarget, upstreamName } from '../domain/target.ts';
import type { ConditionTarget } from './condition.ts';

/** Targets as conditions see them; made once for as long as the catalog holds them. */
const conditionTargets = new WeakMap<FeatureTarget | ServerTarget, ConditionTarget>();

/** A target as conditions see it. */
export function conditionTarget(target: FeatureTarget | ServerTarget): ConditionTarget {
  let known = conditionTargets.get(target);
  if (known === undefined) {
    known = toConditionTarget(target);
    conditionTargets.set(target, known);
  }
  return known;
}

function toConditionTarget(target: FeatureTarget | ServerTarget): ConditionTarget {
  const { server, risk, labels, id } = target;
  const name = target.kind === 'server' ? server : upstreamName(target);
  return target.kind === 'tool'
    ? { server, kind: 'tool', name, tool: name, risk, labels }
    : { server, kind: objectKind(id), name, risk, labels };
}

/** What conditions see of an object of which nothing is known but its id; the harm is then the greatest. */
export function assumedTarget(
  object: string,
  known: Pick<ConditionTarget, 'risk' | 'labels'> = { risk: 'destructive', labels: [] },
): ConditionTarget {
  const { server, name: rest } = parseObjectId(object);
  const { risk, labels } = known;
  const kind = objectKind(object);
  const name = kind === 'server' ? server : rest;
  return kind === 'tool' ? { server, kind, name, tool: name, risk, labels } : { server, kind, name, risk, labels };
}

/** Server and name of `<kind>:<server>/<name>`. */
export function parseObjectId(object: string): { readonly server: string; readonly name: string } {
  const [, server = '', name = ''] = /^[^:]*:([^/]*)\/?(.*)$/s.exec(object) ?? [];
  return { server, name };
}

function objectKind(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf(':')));
}
