import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ZodType } from 'zod';
import { readTextFile, readTextFiles } from '../config/text-file.ts';
import { readYaml, type YamlFile, type YamlPath } from '../config/yaml-file.ts';
import { type Problem, ProblemError, readOrCollect } from '../domain/problem.ts';
import { type Digest, digestOfJson } from '../lib/digest.ts';
import { findConfusables } from '../lib/text/confusables.ts';
import { LOCK_FILE, type Lock, MAX_LOCK_BYTES, readLock } from './pins/lock.ts';
import { type AgentSettings, agentSettingsSchema } from './servers/agent-settings.ts';
import { type ServerSettings, serverSettingsSchema } from './servers/settings.ts';
import { validateTransport } from './servers/validate-transport.ts';
import { type VirtualServer, virtualSettingsSchema } from './virtual-servers/settings.ts';
import { validateVirtualServers } from './virtual-servers/validate.ts';

/** The declared servers, agents and virtual servers, by name. Immutable. */
export interface Registry {
  /** Digest of the texts of all source files, including `registry.lock`. */
  readonly digest: Digest;
  readonly servers: ReadonlyMap<string, ServerSettings>;
  readonly agents: ReadonlyMap<string, AgentSettings>;
  /** Virtual servers; none has the name of a server. */
  readonly virtual: ReadonlyMap<string, VirtualServer>;
  readonly warnings: readonly Problem[];
  /** `file:line:column` of a setting of a server; the directory when there is no such server. */
  readonly locationOf: (server: string, path: YamlPath) => string;
}

/**
 * Loads the registry from the texts of its files by path within the directory, such as `servers/x.yaml`, `agents/y.yaml`
 * and `virtual/z.yaml`. `dir` prefixes the paths in problems. Default: `registry`.
 * @throws ProblemError with every problem of every file.
 */
export function loadRegistry(
  files: Readonly<Record<string, string>>,
  options: { readonly dir?: string } = {},
): Registry {
  const dir = options.dir ?? 'registry';
  const problems: Problem[] = unexpectedFiles(Object.keys(files), dir);
  const servers = readKind({ files, dir, folder: 'servers', schema: serverSettingsSchema, problems });
  const agents = readKind({ files, dir, folder: 'agents', schema: agentSettingsSchema, problems });
  const virtual = readKind({ files, dir, folder: 'virtual', schema: virtualSettingsSchema, problems });
  for (const file of servers) problems.push(...validateTransport(file), ...confusableToolNames(file));
  const names = servers.map(({ value }) => value.name);
  for (const file of virtual) problems.push(...validateVirtualServers(file, names));
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  if (warnings.length < problems.length) throw new ProblemError(problems);
  const serverFiles = new Map(servers.map((file) => [file.value.name, file]));
  return {
    digest: digestOfJson({ ...files }),
    servers: new Map(servers.map(({ value }) => [value.name, value])),
    agents: new Map(agents.map(({ value }) => [value.name, value])),
    virtual: new Map(virtual.map(({ value, at, keyAt }) => [value.name, { settings: value, at, keyAt }])),
    warnings,
    locationOf: (server, path) => serverFiles.get(server)?.at(path) ?? dir,
  };
}

interface Kind<T> {
  readonly files: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly folder: string;
  readonly schema: ZodType<T>;
  readonly problems: Problem[];
}

function readKind<T extends { readonly name: string }>({
  files,
  dir,
  folder,
  schema,
  problems,
}: Kind<T>): YamlFile<T>[] {
  const read: YamlFile<T>[] = [];
  for (const path of Object.keys(files).sort()) {
    const match = /^([^/]+)\/([^/]+)\.yaml$/.exec(path);
    if (match?.[1] !== folder) continue;
    const file = readOrCollect(problems, () => readYaml(`${dir}/${path}`, files[path] ?? '', schema));
    if (file === undefined) continue;
    read.push(file);
    problems.push(...nameMismatch(file, match[2] ?? ''));
  }
  problems.push(...duplicateNames(read), ...confusableNames(read));
  return read;
}

function nameMismatch({ value, problem }: YamlFile<{ readonly name: string }>, fileName: string): Problem[] {
  if (value.name === fileName) return [];
  const message = `the name \`${value.name}\` differs from the name of its file, \`${fileName}.yaml\``;
  const hint = `rename the file to \`${value.name}.yaml\``;
  return [problem(['name'], { code: 'registry-name-mismatch', message, hint, severity: 'warning' })];
}

function duplicateNames(files: readonly YamlFile<{ readonly name: string }>[]): Problem[] {
  const first = new Map<string, string>();
  return files.flatMap(({ value, problem, at }) => {
    const other = first.get(value.name);
    if (other === undefined) first.set(value.name, at(['name']));
    if (other === undefined) return [];
    const message = `the name \`${value.name}\` is used twice`;
    const hint = `rename this one, or the other at ${other}`;
    return [problem(['name'], { code: 'registry-duplicate-name', message, hint })];
  });
}

function confusableNames(files: readonly YamlFile<{ readonly name: string }>[]): Problem[] {
  const alike = findConfusables(files.map(({ value }) => value.name));
  return files.flatMap(({ value, problem }) => {
    const other = alike.get(value.name);
    if (other === undefined) return [];
    const message = `the name \`${value.name}\` looks like \`${other}\``;
    return [
      problem(['name'], { code: 'registry-lookalike-name', message, hint: 'choose a name that looks different' }),
    ];
  });
}

function confusableToolNames(file: YamlFile<ServerSettings>): Problem[] {
  return Array.from(findConfusables(file.value.tools.keys()), ([name, other]) => ({
    code: 'registry-lookalike-name' as const,
    at: file.keyAt(['tools', name]),
    message: `the tool \`${name}\` looks like \`${other}\``,
    hint: 'keep the one that the server declares; `seneschal registry list` shows its tools',
  }));
}

function unexpectedFiles(paths: readonly string[], dir: string): Problem[] {
  return paths.flatMap((path) => {
    if (path === 'registry.lock' || /^(?:servers|agents|virtual)\/[^/]+\.yaml$/.test(path)) return [];
    if (path.startsWith('schema/') || /\.md$|(?:^|\/)\./.test(path)) return [];
    const yaml = path.replace(/\.(?:yml|json)$/, '.yaml');
    const hint =
      yaml === path
        ? 'servers are `servers/<name>.yaml`, agents `agents/<name>.yaml`, virtual servers `virtual/<name>.yaml`'
        : `rename it to \`${yaml}\``;
    const message = 'the file is not read';
    return [{ code: 'registry-unexpected-file', at: `${dir}/${path}`, message, hint } as const];
  });
}

/**
 * Reads the files of a registry directory as texts by path within it.
 * @throws ProblemError for every file that cannot be read or is not UTF-8.
 */
export function readRegistryFiles(dir: string): Record<string, string> {
  if (!existsSync(dir)) {
    const hint = 'run `seneschal init` to create one, or name another directory with `--registry`';
    throw new ProblemError([{ code: 'config-unreadable', at: dir, message: 'there is no registry here', hint }]);
  }
  return readTextFiles(dir, { folders: ['servers', 'agents', 'virtual'], maxBytes: MAX_LOCK_BYTES });
}

/** Reads the registry and the lock of a directory. @throws ProblemError with every problem. */
export function readRegistry(dir: string): { readonly registry: Registry; readonly lock: Lock } {
  const registry = loadRegistry(readRegistryFiles(dir), { dir });
  const lockPath = join(dir, LOCK_FILE);
  return {
    registry,
    lock: readLock(lockPath, existsSync(lockPath) ? readTextFile(lockPath, MAX_LOCK_BYTES) : undefined),
  };
}
