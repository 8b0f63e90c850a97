// Writes npm-shrinkwrap.json beside package.json: package-lock.json without what only development needs. npm puts it
// into the package, so that an installation elsewhere has the very versions that are tested here. It is made when the
// package is and taken away afterwards (`prepack`, `postpack`): npm would read it instead of package-lock.json.
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const { devDependencies: _, ...root } = lock.packages[''];
const installed = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.dev);
const packages = { '': root, ...Object.fromEntries(installed) };
writeFileSync(
  new URL('../npm-shrinkwrap.json', import.meta.url),
  `${JSON.stringify({ ...lock, packages }, null, 2)}\n`,
);
