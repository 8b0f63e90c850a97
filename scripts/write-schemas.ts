import { mkdirSync, writeFileSync } from 'node:fs';
import { schemaFiles } from '../src/onboarding/import/plan-home.ts';

mkdirSync('registry/schema', { recursive: true });
for (const [path, text] of schemaFiles()) writeFileSync(path, text);
