import { migrations as identity } from '../identity/api-keys.ts';
import { migrations as ledger } from '../ledger/ledger.ts';
import { migrations as limits } from '../limits/budget/store.ts';
import { REGISTRY_MIGRATIONS } from '../registry/pins/stored-pins.ts';
import type { Migration } from '../storage/database.ts';
import { versionMigrations } from '../upstream/version-store.ts';

/** The whole schema of a data directory. New migrations go to the end of their module's list. */
export const MIGRATIONS: readonly Migration[] = [
  ...ledger,
  ...identity,
  ...limits,
  ...REGISTRY_MIGRATIONS,
  ...versionMigrations,
];
