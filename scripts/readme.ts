// Puts what `npm run demo` prints into the terminal block of the README, after the line that types it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../README.md', import.meta.url);
const checkout = new URL('..', import.meta.url);
const printed = execFileSync('npm', ['run', '--silent', 'demo'], { cwd: checkout, encoding: 'utf8' });
const before = readFileSync(file, 'utf8');
// The line with `…` stands for what npm itself says.
const block = /(?<=^\$ npm run demo\n…\n)[\s\S]*?(?=^```$)/m;
if (!block.test(before)) throw new Error('README.md has no line `$ npm run demo` that a line `…` follows');
writeFileSync(
  file,
  before.replace(block, () => printed),
);
