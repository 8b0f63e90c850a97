import { existsSync } from 'node:fs';
import { readTextFile } from '../../config/text-file.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { ConfiguredServer, ReadResult } from './configured-server.ts';
import { type ConfigLocation, configLocations, type Machine } from './known-hosts.ts';
import { readConfigLocation, readServerFile, serverNames } from './read-config.ts';
import { VariableNames } from './variable-names.ts';

/** Largest config file that is read, in bytes: Claude Code keeps its history in the same file as its servers. */
const MAX_BYTES = 64 * 1_048_576;

/** One place that exists. */
export interface ScannedConfig extends ConfigLocation {
  /** The names of all entries that its host would use, also of those that the broker could not. */
  readonly enabled: readonly string[];
}

/** What the hosts of a machine have, and the places that exist. */
export interface HostScan extends ReadResult {
  readonly configs: readonly ScannedConfig[];
}

/** Reads every config file of every known host that exists, in the order of `hostPlaces`. Writes nothing. */
export function scanHosts(machine: Machine): HostScan {
  const names = new VariableNames();
  const configs: ScannedConfig[] = [];
  const results = configLocations(machine)
    .filter(({ file }) => existsSync(file))
    .map((location) =>
      readOrReport(location.file, (text) => {
        const result = readConfigLocation(location, text, { ...machine, names });
        const disabled = result.servers.flatMap(({ name, isDisabled }) => (isDisabled ? [name] : []));
        configs.push({ ...location, enabled: serverNames(location, text).filter((name) => !disabled.includes(name)) });
        return result;
      }),
    );
  return { configs, servers: results.flatMap(({ servers }) => servers), problems: uniqueProblems(results) };
}

/** Reads the servers of files that a person names, whatever their form. */
export function readServerFiles(files: readonly string[], machine: Pick<Machine, 'home' | 'project'>): ReadResult {
  const names = new VariableNames();
  const results = files.map((file) => readOrReport(file, (text) => readServerFile(file, text, { ...machine, names })));
  return { servers: results.flatMap(({ servers }) => servers), problems: uniqueProblems(results) };
}

function readOrReport(file: string, readText: (text: string) => ReadResult): ReadResult {
  try {
    return readText(readTextFile(file, MAX_BYTES));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const servers: readonly ConfiguredServer[] = [];
    return { servers, problems: error.problems };
  }
}

/** One file can be two places, and is then read twice. */
function uniqueProblems(results: readonly ReadResult[]): readonly Problem[] {
  const problems = results.flatMap((result) => result.problems);
  return [...new Map(problems.map((problem) => [`${problem.at} ${problem.message}`, problem])).values()];
}
