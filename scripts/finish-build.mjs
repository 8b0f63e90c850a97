// The command's file must be executable when npm links it; tsc leaves it as any other file.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
