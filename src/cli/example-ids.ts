/** Ids that examples name. Only a ledger of one's own knows real ones, so tests put those in their place. */
export const EXAMPLE_CALL = '01a2089b-6959-7000-a3cd-d10c8b65b659';
export const EXAMPLE_KEY = '0123456789abcdef';
