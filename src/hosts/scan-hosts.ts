import { existsSync } from 'node:fs';
import { readTextFile } from '../config/text-file.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import type { FoundServer } from './found-server.ts';
import { type HostPlace, hostPlaces, type Machine } from './known-hosts.ts';
import { namesAt, readHostPlace, readServerFile } from './read-config.ts';
import type { Reading } from './reading.ts';
import { VariableNames } from './variable-names.ts';

/** Largest config file that is read, in bytes: Claude Code keeps its history in the same file as its servers. */
const MAX_BYTES = 64 * 1_048_576;

/** One place that exists. */
export interface ScannedPlace extends HostPlace {
  /** The names of all entries that its host would use, also of those that the broker could not. */
  readonly enabled: readonly string[];
}

/** What the hosts of a machine have, and the places that exist. */
export interface Scan extends Reading {
  readonly places: readonly ScannedPlace[];
}

/** Reads every config file of every known host that exists, in the order of `hostPlaces`. Writes nothing. */
export function scanHosts(machine: Machine): Scan {
  const names = new VariableNames();
  const places: ScannedPlace[] = [];
  const readings = hostPlaces(machine)
    .filter(({ file }) => existsSync(file))
    .map((place) =>
      read(place.file, (text) => {
        const reading = readHostPlace(place, text, { ...machine, names });
        const disabled = reading.servers.flatMap(({ name, isDisabled }) => (isDisabled ? [name] : []));
        places.push({ ...place, enabled: namesAt(place, text).filter((name) => !disabled.includes(name)) });
        return reading;
      }),
    );
  return { places, servers: readings.flatMap(({ servers }) => servers), problems: distinctProblems(readings) };
}

/** Reads the servers of files that a person names, whatever their form. */
export function readServerFiles(files: readonly string[], machine: Pick<Machine, 'home' | 'project'>): Reading {
  const names = new VariableNames();
  const readings = files.map((file) => read(file, (text) => readServerFile(file, text, { ...machine, names })));
  return { servers: readings.flatMap(({ servers }) => servers), problems: distinctProblems(readings) };
}

function read(file: string, readText: (text: string) => Reading): Reading {
  try {
    return readText(readTextFile(file, MAX_BYTES));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const servers: readonly FoundServer[] = [];
    return { servers, problems: error.problems };
  }
}

/** One file can be two places, and is then read twice. */
function distinctProblems(readings: readonly Reading[]): readonly Problem[] {
  const problems = readings.flatMap((reading) => reading.problems);
  return [...new Map(problems.map((problem) => [`${problem.at} ${problem.message}`, problem])).values()];
}
