import type { KnownDifference } from './compare-columns.ts';

/** Every check of the official suite that ends otherwise through the broker, and what of the wire makes it so. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];
