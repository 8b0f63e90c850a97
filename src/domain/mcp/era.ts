/** Protocol eras of MCP: `modern` is 2026-07-28 (stateless, `server/discover`), `legacy` is any revision before it (`initialize`). */
export type Era = 'legacy' | 'modern';
