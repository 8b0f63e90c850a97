// Writes npm-shrinkwrap.json: package-lock.json without development packages. npm puts it into the package, so that an
// installation has exactly the tested versions. `prepack` writes it and `postpack` removes it, because npm would read it
// instead of package-lock.json.
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const { devDependencies: _, ...root } = lock.packages[''];
const installed = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.dev);
const packages = { '': root, ...Object.fromEntries(installed) };
writeFileSync(
  new URL('../npm-shrinkwrap.json', import.meta.url),
  `${JSON.stringify({ ...lock, packages }, null, 2)}\n`,
);
