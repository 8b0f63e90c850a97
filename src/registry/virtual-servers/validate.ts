import type { YamlFile, YamlPath } from '../../config/yaml-file.ts';
import type { Problem } from '../../domain/problem.ts';
import { uriProblem } from '../../domain/resource-id.ts';
import { isJsonObject, type JsonValue } from '../../lib/json/json.ts';
import { detectSecret } from '../../lib/secrets/detect-secret.ts';
import { findConfusables } from '../../lib/text/confusables.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { NamedSelection, VirtualSettings } from './settings.ts';
import { isExcluded, isIncluded } from './settings.ts';

type VirtualFile = YamlFile<VirtualSettings>;

const NAMED = ['tools', 'prompts'] as const;

/** What is wrong with a virtual server by itself and beside the registered servers; what they offer is known later. */
export function validateVirtualServers(file: VirtualFile, servers: readonly string[]): Problem[] {
  return [
    ...emptySelection(file),
    ...duplicateServerName(file, servers),
    ...unknownServers(file, servers),
    ...NAMED.flatMap((kind) => [...validateRenames(file, kind), ...unusedOverrides(file, kind)]),
    ...nonCanonicalUris(file),
    ...secretsInFixedArguments(file),
  ];
}

/** Resources are known by normal forms: an `exclude` in another spelling would keep nothing back. */
function nonCanonicalUris(file: VirtualFile): Problem[] {
  return (['include', 'exclude'] as const).flatMap((list) =>
    file.value.resources[list].flatMap((glob, index) => {
      const defect = uriProblem(`${KIND}${glob}`);
      if (defect === undefined) return [];
      const [message, hint] = [defect.message.replace(KIND, ''), defect.hint.replace(KIND, '')];
      const noun = { code: 'registry-uri-not-normal', message, hint } as const;
      return [file.problem(['resources', list, index], noun)];
    }),
  );
}

const KIND = 'resource:';

function emptySelection(file: VirtualFile): Problem[] {
  const { tools, prompts, resources } = file.value;
  const isEmpty =
    NAMED.every((kind) => file.value[kind].include.length + file.value[kind].rename.size === 0) &&
    [tools, prompts, resources].every(({ include }) => include.length === 0);
  if (!isEmpty) return [];
  const hint = 'name what it shows, such as `tools: { include: ["github/get_*"] }`';
  return [file.problem([], { code: 'registry-view-invalid', message: 'the virtual server shows nothing', hint })];
}

/** `stdio --server` and people name both kinds of servers in one breath. */
function duplicateServerName(file: VirtualFile, servers: readonly string[]): Problem[] {
  const { name } = file.value;
  if (servers.includes(name)) {
    const message = `the name \`${name}\` is that of a server`;
    const hint = 'choose another: a virtual server and a server are asked for in the same way';
    return [file.problem(['name'], { code: 'registry-duplicate-name', message, hint })];
  }
  const other = findConfusables([...servers, name]).get(name);
  if (other === undefined) return [];
  const message = `the name \`${name}\` looks like that of the server \`${other}\``;
  const hint = 'choose a name nobody can mistake';
  return [file.problem(['name'], { code: 'registry-lookalike-name', message, hint })];
}

/** A warning: a server that is taken out of the registry takes nothing else with it. */
function unknownServers(file: VirtualFile, servers: readonly string[]): Problem[] {
  return sourceReferences(file).flatMap(({ source: original, at }) => {
    const server = original.slice(0, original.indexOf('/'));
    if (servers.some((name) => globMatches(server, name))) return [];
    const near = didYouMean(server, servers);
    return {
      code: 'registry-original-unknown' as const,
      at,
      message: server.includes('*') ? `no server matches \`${server}\`` : `there is no server \`${server}\``,
      hint: near === undefined ? 'servers are `registry/servers/<name>.yaml`' : `did you mean \`${near}\`?`,
      severity: 'warning' as const,
    };
  });
}

interface SourceReference {
  readonly source: string;
  readonly at: string;
}

/** Every glob and every name of an original, with its place. */
function sourceReferences(file: VirtualFile): SourceReference[] {
  const { value } = file;
  const globs = (['tools', 'prompts', 'resources'] as const).flatMap((kind) =>
    (['include', 'exclude'] as const).flatMap((list) =>
      value[kind][list].map((source, index) => ({ source, at: file.at([kind, list, index]) })),
    ),
  );
  const names = NAMED.flatMap((kind) => [
    ...Array.from(value[kind].rename, ([name, source]) => ({ source, at: file.at([kind, 'rename', name]) })),
    ...Array.from(value[kind].override.keys(), (source) => ({
      source,
      at: file.keyAt([kind, 'override', source]),
    })),
  ]);
  return [...globs, ...names];
}

function validateRenames(file: VirtualFile, kind: (typeof NAMED)[number]): Problem[] {
  const selection = file.value[kind];
  const problems: Problem[] = [];
  const report = (path: YamlPath, problem: Omit<Problem, 'at'>): number => problems.push(file.problem(path, problem));
  const nameOf = new Map<string, string>();
  for (const [name, source] of selection.rename) {
    const path = [kind, 'rename', name];
    const other = nameOf.get(source);
    if (other !== undefined) {
      const message = `\`${source}\` has a name already, \`${other}\``;
      report(path, { code: 'registry-view-invalid', message, hint: 'leave one of the two away' });
    }
    nameOf.set(source, name);
    if (isExcluded(selection, source)) {
      const message = `\`exclude\` takes away \`${source}\`, which is renamed here`;
      report(path, { code: 'registry-view-invalid', message, hint: 'leave one of the two away' });
    }
  }
  for (const [name, other] of findConfusables(selection.rename.keys())) {
    const message = `the name \`${name}\` looks like \`${other}\``;
    const hint = 'choose names nobody can mistake';
    problems.push({ code: 'registry-lookalike-name', at: file.keyAt([kind, 'rename', name]), message, hint });
  }
  return problems;
}

/** Overrides of what is not shown: a person believes that they hold. */
function unusedOverrides(file: VirtualFile, kind: (typeof NAMED)[number]): Problem[] {
  const selection: NamedSelection = file.value[kind];
  const renamed = new Set(selection.rename.values());
  return Array.from(selection.override.keys()).flatMap((source) => {
    if (renamed.has(source) || isIncluded(selection, source)) return [];
    return {
      code: 'registry-view-invalid' as const,
      at: file.keyAt([kind, 'override', source]),
      message: `\`${source}\` is not shown, so that nothing of it can be shown otherwise`,
      hint: `add it to \`include\` or \`rename\`, or leave the override away`,
    };
  });
}

function secretsInFixedArguments(file: VirtualFile): Problem[] {
  return Array.from(file.value.tools.override).flatMap(([source, { fixed = {} }]) =>
    Object.entries(fixed).flatMap(([name, value]) =>
      stringsIn(value, name).flatMap(([key, text]) =>
        secretProblem(file, ['tools', 'override', source, 'fixed', name], [key, text]),
      ),
    ),
  );
}

function secretProblem(file: VirtualFile, path: YamlPath, [key, text]: readonly [string, string]): Problem[] {
  if (/\$\{(?:env|file):/.test(text)) {
    const message = 'a reference stands where none is read';
    const hint = 'a fixed argument is recorded like every argument: give the server its secrets in its own file';
    return [file.problem(path, { code: 'credentials-reference-invalid', message, hint })];
  }
  const explanation = detectSecret(key, text);
  if (explanation === undefined) return [];
  const message = `a secret in clear text: ${explanation}`;
  const hint = 'give the server its secrets in its own file, and change this one: it has been in a file';
  return [file.problem(path, { code: 'registry-secret-in-clear', message, hint })];
}

/** Every text within a value, with the name of the member that holds it. */
function stringsIn(value: JsonValue, key: string): (readonly [key: string, text: string])[] {
  if (typeof value === 'string') return [[key, value]];
  if (Array.isArray(value)) return value.flatMap((item) => stringsIn(item, key));
  return isJsonObject(value) ? Object.entries(value).flatMap(([name, item]) => stringsIn(item, name)) : [];
}
