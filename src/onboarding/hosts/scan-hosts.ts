import { existsSync } from 'node:fs';
import { readTextFile } from '../../config/text-file.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { ConfiguredServer, ReadResult } from './configured-server.ts';
import { type ConfigLocation, configLocations, type Machine } from './known-hosts.ts';
import { readConfigLocation, readServerFile, serverNames } from './read-config.ts';
import { VariableNames } from './variable-names.ts';

/** Largest config file that is read, in bytes. Claude Code keeps its history and its servers in one file. */
const MAX_BYTES = 64 * 1_048_576;

/** One existing config location. */
export interface ScannedConfig extends ConfigLocation {
  /** Names of all entries that are not disabled, including those that the broker cannot use. */
  readonly enabled: readonly string[];
}

/** The servers of all hosts on a machine, and the config locations that exist. */
export interface HostScan extends ReadResult {
  readonly configs: readonly ScannedConfig[];
}

/** Reads every existing config file of every known host, in the order of `configLocations`. Writes nothing. */
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

/** Reads the servers of the files that a person named, in any supported format. */
export function readServerFiles(files: readonly string[], machine: Pick<Machine, 'userHome' | 'project'>): ReadResult {
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

/** Removes repeated problems: a file with two config locations is read twice. */
function uniqueProblems(results: readonly ReadResult[]): readonly Problem[] {
  const problems = results.flatMap((result) => result.problems);
  return [...new Map(problems.map((problem) => [`${problem.at} ${problem.message}`, problem])).values()];
}
