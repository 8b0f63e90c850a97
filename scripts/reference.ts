// Writes the reference pages that are generated from code.
import { writeFileSync } from 'node:fs';
import { referencePages } from './reference/reference-pages.ts';

for (const [path, text] of referencePages()) writeFileSync(new URL(`../${path}`, import.meta.url), text);
