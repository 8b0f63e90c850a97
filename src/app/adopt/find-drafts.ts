import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { readServerFiles, scanHosts } from '../../hosts/scan-hosts.ts';
import type { ServerDraft } from './draft.ts';
import { draftFromConfig, type ImportContext } from './found-draft.ts';

/** Where servers are looked for. */
export interface DraftSources {
  /** Files that a person named. */
  readonly files: readonly string[];
  /** Also the config files that the programs of agents have on this machine. */
  readonly discover: boolean;
}

/** What was found, and why some of it is not used. */
export interface DraftSearch {
  readonly drafts: readonly ServerDraft[];
  readonly problems: readonly Problem[];
  /** The config files of this machine that were read. */
  readonly configFiles: readonly string[];
}

/** The servers of one file that a person named; at least one problem where there is none. */
export function draftsInFile(file: string, context: ImportContext): DraftSearch {
  const search = findDrafts({ files: [file], discover: false }, context);
  if (search.drafts.length > 0 || search.problems.length > 0) return search;
  const hint = 'name a file with `mcpServers` or `servers`, or a server.json';
  const noServer: Problem = { code: 'init-nothing-found', at: file, message: 'the file holds no server', hint };
  return { ...search, problems: [noServer] };
}

/** Reads the servers of config files and manifests as drafts with names of their own. Starts and writes nothing. */
export function findDrafts({ files, discover }: DraftSources, context: ImportContext): DraftSearch {
  const machine = { home: homedir(), project: resolve('.'), platform: process.platform, env: context.env };
  const named = readServerFiles(files, machine);
  const scan = discover ? scanHosts(machine) : { configs: [], servers: [], problems: [] };
  const results = [...named.servers, ...scan.servers].map((server) => draftFromConfig(server, context));
  return {
    drafts: uniqueDrafts(results.filter((each) => 'transport' in each)),
    problems: [...named.problems, ...scan.problems, ...results.filter((each) => 'code' in each)],
    configFiles: scan.configs.map(({ file }) => file),
  };
}

/** The same server in two files is one; two servers of one name get names of their own. */
function uniqueDrafts(drafts: readonly ServerDraft[]): readonly ServerDraft[] {
  const byName = new Map<string, ServerDraft>();
  for (const draft of drafts) {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? draft.name : `${draft.name.slice(0, 59)}-${number}`;
      const other = byName.get(name);
      if (other === undefined) byName.set(name, { ...draft, name });
      if (other === undefined || isSameServer(other, draft)) break;
    }
  }
  return [...byName.values()];
}

function isSameServer(a: ServerDraft, b: ServerDraft): boolean {
  return JSON.stringify(a.transport) === JSON.stringify(b.transport);
}
