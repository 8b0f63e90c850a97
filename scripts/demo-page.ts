// Writes the output of `npm run demo` into the page that shows it, after the line with the command.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../docs/tutorial/see-how-calls-end.md', import.meta.url);
const checkout = new URL('..', import.meta.url);
const printed = execFileSync('npm', ['run', '--silent', 'demo'], { cwd: checkout, encoding: 'utf8' });
const before = readFileSync(file, 'utf8');
// The line `…` represents npm's own output.
const block = /(?<=^\$ npm run demo\n…\n)[\s\S]*?(?=^```$)/m;
if (!block.test(before)) throw new Error(`${file.pathname} has no line \`$ npm run demo\` followed by a line \`…\``);
writeFileSync(
  file,
  before.replace(block, () => printed),
);
