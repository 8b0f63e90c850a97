/** What the broker must show to tool servers. */
export const SERVER_REQUIREMENTS = {
  'servers.initialize.first': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`initialize` with the newest legacy revision comes before everything else of a session',
  },
} as const;
