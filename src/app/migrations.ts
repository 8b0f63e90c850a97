import { migrations as identity } from '../identity/key-store.ts';
import { migrations as ledger } from '../ledger/append.ts';
import { migrations as limits } from '../limits/budget-table.ts';
import { REGISTRY_MIGRATIONS } from '../registry/pins-table.ts';
import type { Migration } from '../storage/database.ts';
import { versionMigrations } from './era-table.ts';

/** The whole schema of a data directory. New steps go to the end of their room's list. */
export const MIGRATIONS: readonly Migration[] = [
  ...ledger,
  ...identity,
  ...limits,
  ...REGISTRY_MIGRATIONS,
  ...versionMigrations,
];
