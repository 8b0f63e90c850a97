import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bannedWordsIn, bannedWordsInName } from './fixtures/banned-words.ts';
import { ROOT, type SourceFile, sourceFiles, withoutComments } from './fixtures/source-files.ts';

const MAX_CODE_LINES = 400;
const MIN_CODE_LINES = 40;
const MAX_FUNCTION_LINES = 50;
const MAX_CHILDREN = 15;

/** Parts of one kind behind one interface: each is its own file, however short, and one table imports it. */
const PLUG_INS = [
  /^cli\/commands\//,
  /^cli\/completion\//,
  /^policy\/templates\//,
  /^cli\/main\.ts$/,
  /^storage\/sqlite-writer\.ts$/,
];

const files = sourceFiles();
const architecture = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8').split('\n');

/** Module → layer, from the first table of docs/architecture.md. */
const layers = ((): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  let layer = Number.NaN;
  for (const line of architecture) {
    const cells = /^\| *(\d+ [\w ]+?)? *\| *`([a-z-]+)\/` *\|/.exec(line);
    if (!cells) continue;
    if (cells[1] !== undefined) layer = Number.parseInt(cells[1], 10);
    found.set(cells[2] ?? '', layer);
  }
  return found;
})();

/** Folder → its sub-folders, lowest first, from the second table of docs/architecture.md. */
const folderOrders = ((): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, readonly string[]>();
  for (const line of architecture) {
    const cells = /^\| *`([a-z/-]+)` *\| *((?:`[a-z-]+`[ →]*)+)\|/.exec(line);
    if (cells)
      found.set(
        cells[1] ?? '',
        [...(cells[2] ?? '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1] ?? ''),
      );
  }
  return found;
})();

/** Name of the sub-folder of `folder` that a path lies in; undefined for a file directly in it or outside of it. */
function subFolder(folder: string, path: string): string | undefined {
  if (!path.startsWith(`${folder}/`)) return undefined;
  const parts = path.slice(folder.length + 1).split('/');
  return parts.length > 1 ? parts[0] : undefined;
}

const kebab = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

test('the table names every module of src, and every module of the table exists', () => {
  expect([...new Set(files.map((file) => file.module))].sort()).toEqual([...layers.keys()].sort());
});

test('a file imports only from its own module or from lower layers', () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .map((path) => ({ path, module: path.split('/')[0] ?? '' }))
      .filter(({ module }) => module !== file.module && !((layers.get(module) ?? 99) < (layers.get(file.module) ?? -1)))
      .map(({ path }) => `${file.path} imports ${path}`),
  );
  expect(wrong).toEqual([]);
});

test('the table of sub-folders names every sub-folder of src', () => {
  const present = new Set<string>();
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 2; depth <= parts.length; depth += 1) present.add(parts.slice(0, depth).join('/'));
  }
  const named = [...folderOrders].flatMap(([folder, order]) => order.map((name) => `${folder}/${name}`));
  expect(named.sort()).toEqual([...present].sort());
});

test('a sub-folder imports only from sub-folders that stand before it in the table', () => {
  const wrong = files.flatMap(({ path, imports }) =>
    [...folderOrders].flatMap(([folder, order]) => {
      const own = order.indexOf(subFolder(folder, path) ?? '');
      return imports
        .filter((other) => own >= 0 && order.indexOf(subFolder(folder, other) ?? '') > own)
        .map((other) => `${path} imports ${other}`);
    }),
  );
  expect(wrong).toEqual([]);
});

test('no import closes a cycle', () => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    state.set(path, 'open');
    for (const next of byPath.get(path)?.imports ?? []) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const file of files) visit(file.path, []);
  expect(cycles).toEqual([]);
});

test('no file has more than 400 lines of code', () => {
  const wrong = files.filter((file) => file.codeLines > MAX_CODE_LINES);
  expect(wrong.map((file) => `${file.path}: ${file.codeLines}`)).toEqual([]);
});

test('a file under 40 lines of code has two importers, or is a command, a migration or a plug-in part', () => {
  const importers = new Map<string, number>();
  for (const file of files)
    for (const path of new Set(file.imports)) importers.set(path, (importers.get(path) ?? 0) + 1);
  const wrong = files
    .filter((file) => file.codeLines < MIN_CODE_LINES && (importers.get(file.path) ?? 0) < 2)
    .filter((file) => !PLUG_INS.some((pattern) => pattern.test(file.path)));
  expect(wrong.map((file) => `${file.path}: ${file.codeLines}`)).toEqual([]);
});

test('docs/architecture.md names the files of a call and what each does: all exist, and there are at most 45', () => {
  const rows = architecture.filter((line) => /^\| \d+ \| `[a-z/-]+\.ts` \|/.test(line));
  const steps = rows.map((row) => {
    const [, path = '', functions = ''] = /`([a-z/-]+\.ts)` \| ([^|]*)\|/.exec(row) ?? [];
    return { path, names: [...functions.matchAll(/`(?:\w+\.)?#?(\w+)`/g)].map((match) => match[1] ?? '') };
  });
  expect(steps.length).toBeGreaterThan(30);
  expect(steps.length).toBeLessThanOrEqual(45);
  const wrong = steps.filter(({ path, names }) => {
    const file = files.find((each) => each.path === path);
    return file === undefined || names.some((name) => !new RegExp(`\\b${name}\\b`).test(file.text));
  });
  expect(wrong).toEqual([]);
});

test('no folder below a module has more than 15 children, nor has a module', () => {
  const folders = [...new Set(files.map((file) => file.path.split('/').slice(0, -1).join('/')))];
  const wrong = folders
    .filter((folder) => folder !== '')
    .map((folder) => ({ folder, children: readdirSync(join(ROOT, 'src', folder)).length }))
    .filter(({ children }) => children > MAX_CHILDREN);
  expect(wrong.map(({ folder, children }) => `${folder}: ${children}`)).toEqual([]);
});

test('a file is named after what it exports', () => {
  const wrong = files.filter((file) => {
    const name = (file.path.split('/').at(-1) ?? '').replace(/\.ts$/, '');
    const stem = name.replaceAll('-', '').replace(/s$/, '');
    return (
      file.exports.length > 0 &&
      !file.exports.some((exported) => {
        const words = kebab(exported);
        return words.replaceAll('-', '').includes(stem) || `-${name}-`.includes(`-${words}-`);
      })
    );
  });
  expect(wrong.map((file) => `${file.path}: ${file.exports.join(' ')}`)).toEqual([]);
});

test('no identifier and no file name of src has a word of a private language', () => {
  const names = files.flatMap((file) => bannedWordsInName(file.path).map((word) => `${file.path}: ${word}`));
  const identifiers = files.flatMap((file) =>
    withoutComments(file.text)
      .split('\n')
      .flatMap((line, index) => bannedWordsIn(line).map((word) => `${file.path}:${index + 1}: ${word}`)),
  );
  expect([...names, ...identifiers]).toEqual([]);
});

test('no function is longer than 50 lines', () => {
  expect(files.flatMap((file) => longFunctions(file))).toEqual([]);
});

test('below app/ nothing reads a clock, draws a random number, prints, or reads the environment', () => {
  const forbidden =
    /\b(Date\.now\(|new Date\(\)|Math\.random\(|console\.|process\.(?:env|exit|stdout|stderr)\b|performance\.now\()/;
  const wrong = files
    .filter((file) => file.module !== 'app' && file.module !== 'cli')
    .flatMap((file) =>
      withoutComments(file.text)
        .split('\n')
        .filter((line) => forbidden.test(line))
        .map((line) => `${file.path}: ${line.trim()}`),
    );
  expect(wrong).toEqual([]);
});

test('only cli/ prints', () => {
  const wrong = files.filter((file) => file.module !== 'cli' && /\bconsole\./.test(withoutComments(file.text)));
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('no file has a name that says nothing', () => {
  const wrong = files.filter((file) =>
    /(^|\/)(index|utils?|helpers?|common|types|misc|globals)(\.ts|\/)/.test(file.path),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('nothing is exported by default, typed any, or put off', () => {
  const wrong = files.filter((file) =>
    /export default|: any\b|\bas any\b|<any>|@ts-ignore|@ts-expect-error|TODO|FIXME/.test(file.text),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('only identity makes a principal', () => {
  const maker = 'createPrincipal';
  expect(files.find((file) => file.path === 'identity/principal.ts')?.exports).toContain(maker);
  const wrong = files.filter(
    (file) => file.module !== 'identity' && new RegExp(`\\bas (unknown as )?Principal\\b|${maker}\\(`).test(file.text),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('only policy touches Casbin and only storage touches SQLite', () => {
  const owners: Readonly<Record<string, string>> = {
    casbin: 'policy',
    'better-sqlite3': 'storage',
    express: 'ingress',
    pino: 'telemetry',
  };
  const wrong = files.flatMap((file) =>
    Object.entries(owners)
      .filter(([library, module]) => file.module !== module && new RegExp(`['"]${library}['"]`).test(file.text))
      .map(([library]) => `${file.path} imports ${library}`),
  );
  expect(wrong).toEqual([]);
});

/** Functions and methods over 50 lines, by the indentation that the formatter guarantees. */
function longFunctions(file: SourceFile): readonly string[] {
  const found: string[] = [];
  file.lines.forEach((line, index) => {
    const opens =
      /^( *)(?:(?:export |async |static |private |get |set )*(?:function\b|[#\w]+(?:<[^>]*>)?\().*\{|.*=> \{)$/.exec(
        line,
      );
    if (!opens || /^ *(?:if|for|while|switch|return|describe|test|\}|export (?:interface|class))\b/.test(line)) return;
    const indent = opens[1] ?? '';
    const length = file.lines.slice(index + 1).findIndex((later) => later.startsWith(`${indent}}`)) + 2;
    if (length > MAX_FUNCTION_LINES) found.push(`${file.path}:${index + 1}: ${length} lines`);
  });
  return found;
}
