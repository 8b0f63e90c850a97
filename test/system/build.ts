import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** Builds once before the tests, so that those that start the command start what the sources say. */
export function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: resolve(import.meta.dirname, '../..'), stdio: 'inherit' });
}
