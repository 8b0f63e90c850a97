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

/** Finds problems of a virtual server that are known without discovering the servers. */
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

/** URIs are compared in normal form, so an `exclude` in another spelling would hide nothing. */
function nonCanonicalUris(file: VirtualFile): Problem[] {
  return (['include', 'exclude'] as const).flatMap((list) =>
    file.value.resources[list].flatMap((glob, index) => {
      const defect = uriProblem(`${KIND}${glob}`);
      if (defect === undefined) return [];
      const [message, hint] = [defect.message.replace(KIND, ''), defect.hint.replace(KIND, '')];
      return [file.problem(['resources', list, index], { code: 'registry-uri-not-normal', message, hint })];
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
  const hint = 'add features, such as `tools: { include: ["github/get_*"] }`';
  return [file.problem([], { code: 'registry-view-invalid', message: 'the virtual server shows nothing', hint })];
}

/** Servers and virtual servers share one namespace, as in `stdio --server`. */
function duplicateServerName(file: VirtualFile, servers: readonly string[]): Problem[] {
  const { name } = file.value;
  if (servers.includes(name)) {
    const message = `the name \`${name}\` is used by a server`;
    const hint = 'choose another name: servers and virtual servers share one namespace';
    return [file.problem(['name'], { code: 'registry-duplicate-name', message, hint })];
  }
  const other = findConfusables([...servers, name]).get(name);
  if (other === undefined) return [];
  const message = `the name \`${name}\` looks like that of the server \`${other}\``;
  const hint = 'choose a name that looks different';
  return [file.problem(['name'], { code: 'registry-lookalike-name', message, hint })];
}

/** Only warnings: removing a server from the registry must not invalidate other files. */
function unknownServers(file: VirtualFile, servers: readonly string[]): Problem[] {
  return sourceReferences(file).flatMap(({ source, at }) => {
    const server = source.slice(0, source.indexOf('/'));
    if (servers.some((name) => globMatches(server, name))) return [];
    const near = didYouMean(server, servers);
    return {
      code: 'registry-original-unknown' as const,
      at,
      message: server.includes('*') ? `no server matches \`${server}\`` : `there is no server \`${server}\``,
      hint: near === undefined ? 'servers are declared in `registry/servers/<name>.yaml`' : `did you mean \`${near}\`?`,
      severity: 'warning' as const,
    };
  });
}

interface SourceReference {
  readonly source: string;
  readonly at: string;
}

/** Every glob and source name, with its location. */
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
      const message = `\`${source}\` is already renamed to \`${other}\``;
      report(path, { code: 'registry-view-invalid', message, hint: 'remove one of the two names' });
    }
    nameOf.set(source, name);
    if (isExcluded(selection, source)) {
      const message = `\`${source}\` is renamed here, but \`exclude\` hides it`;
      report(path, { code: 'registry-view-invalid', message, hint: 'remove the name or the exclusion' });
    }
  }
  for (const [name, other] of findConfusables(selection.rename.keys())) {
    const message = `the name \`${name}\` looks like \`${other}\``;
    const hint = 'choose names that look different';
    problems.push({ code: 'registry-lookalike-name', at: file.keyAt([kind, 'rename', name]), message, hint });
  }
  return problems;
}

/** Finds overrides of hidden features, which would silently have no effect. */
function unusedOverrides(file: VirtualFile, kind: (typeof NAMED)[number]): Problem[] {
  const selection: NamedSelection = file.value[kind];
  const renamed = new Set(selection.rename.values());
  return Array.from(selection.override.keys()).flatMap((source) => {
    if (renamed.has(source) || isIncluded(selection, source)) return [];
    return {
      code: 'registry-view-invalid' as const,
      at: file.keyAt([kind, 'override', source]),
      message: `the override of \`${source}\` has no effect, because it is not shown`,
      hint: `add it to \`include\` or \`rename\`, or remove the override`,
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
    const message = 'references are not resolved in fixed arguments';
    const hint = 'pass secrets to the server in its own file: fixed arguments are recorded like all arguments';
    return [file.problem(path, { code: 'credentials-reference-invalid', message, hint })];
  }
  const explanation = detectSecret(key, text);
  if (explanation === undefined) return [];
  const message = `a secret in clear text: ${explanation}`;
  const hint = 'pass secrets to the server in its own file, and rotate this one, because it was in a file';
  return [file.problem(path, { code: 'registry-secret-in-clear', message, hint })];
}

/** Every string in a value, with the name of the member that holds it. */
function stringsIn(value: JsonValue, key: string): (readonly [key: string, text: string])[] {
  if (typeof value === 'string') return [[key, value]];
  if (Array.isArray(value)) return value.flatMap((item) => stringsIn(item, key));
  return isJsonObject(value) ? Object.entries(value).flatMap(([name, item]) => stringsIn(item, name)) : [];
}
