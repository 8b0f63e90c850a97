import { fileURLToPath } from 'node:url';

/** Path of the program itself, built or as source, by which it is started again. */
export function mainPath(): string {
  return fileURLToPath(new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
