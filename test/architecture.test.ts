import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src');

interface SourceFile {
  readonly path: string;
  readonly module: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(SOURCE, path), 'utf8');
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
      relative(SOURCE, resolve(dirname(join(SOURCE, path)), match[1] ?? '')),
    );
    return { path, module: path.split('/')[0] ?? '', text, lines: text.split('\n'), imports };
  });

/** Module → layer, read from the table of docs/architecture.md. */
const layers = ((): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  let layer = Number.NaN;
  for (const line of readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8').split('\n')) {
    const cells = /^\| *(\d+ [a-z ]+?)? *\| *`([a-z-]+)\/` *\|/.exec(line);
    if (!cells) continue;
    if (cells[1] !== undefined) layer = Number.parseInt(cells[1], 10);
    found.set(cells[2] ?? '', layer);
  }
  return found;
})();

const NEEDS_NO_CLOCK = (module: string): boolean => module !== 'app' && module !== 'cli';
const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g, '');

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

test('no file is longer than 300 lines', () => {
  expect(files.filter((file) => file.lines.length > 301).map((file) => `${file.path}: ${file.lines.length}`)).toEqual(
    [],
  );
});

test('no function is longer than 50 lines', () => {
  expect(files.flatMap((file) => longFunctions(file))).toEqual([]);
});

test('below app/ nothing reads a clock, draws a random number, prints, or reads the environment', () => {
  const forbidden =
    /\b(Date\.now\(|new Date\(\)|Math\.random\(|console\.|process\.(?:env|exit|stdout|stderr)\b|performance\.now\()/;
  const wrong = files
    .filter((file) => NEEDS_NO_CLOCK(file.module))
    .flatMap((file) =>
      withoutComments(file.text)
        .split('\n')
        .filter((line) => forbidden.test(line))
        .map((line) => `${file.path}: ${line.trim()}`),
    );
  expect(wrong).toEqual([]);
});

test('nothing prints but the command line', () => {
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
  const wrong = files.filter(
    (file) => file.module !== 'identity' && /\bas (unknown as )?Principal\b|mintPrincipal\(/.test(file.text),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('only policy touches Casbin and only storage touches SQLite', () => {
  const homes: Readonly<Record<string, string>> = {
    casbin: 'policy',
    'better-sqlite3': 'storage',
    express: 'ingress',
    pino: 'telemetry',
  };
  const wrong = files.flatMap((file) =>
    Object.entries(homes)
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
    if (length > 50) found.push(`${file.path}:${index + 1}: ${length} lines`);
  });
  return found;
}
