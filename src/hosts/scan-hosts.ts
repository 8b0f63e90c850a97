import { existsSync } from 'node:fs';
import { readTextFile } from '../config/text-file.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import type { FoundServer } from './found-server.ts';
import { type HostPlace, hostPlaces, type Machine } from './known-hosts.ts';
import { readHostPlace, readServerFile } from './read-config.ts';
import type { Reading } from './reading.ts';
import { VariableNames } from './variable-names.ts';

/** Largest config file that is read, in bytes: Claude Code keeps its history in the same file as its servers. */
const MAX_BYTES = 64 * 1_048_576;

/** What the hosts of a machine have, and the places that exist. */
export interface Scan extends Reading {
  readonly places: readonly HostPlace[];
}

/** Reads every config file of every known host that exists, in the order of `hostPlaces`. Writes nothing. */
export function scanHosts(machine: Machine): Scan {
  const names = new VariableNames();
  const places = hostPlaces(machine).filter(({ file }) => existsSync(file));
  const readings = places.map((place) => read(place.file, (text) => readHostPlace(place, text, { ...machine, names })));
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
