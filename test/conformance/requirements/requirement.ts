import type { Era } from '../upstream/start.ts';

export type Transport = 'http' | 'stdio';

/** Transports and eras in which a requirement holds. */
export type Holds = 'everywhere' | 'legacy' | 'modern' | 'http' | 'legacy http' | 'modern http' | 'stdio';

/** One behaviour that the protocol requires. */
export interface Requirement {
  /** Section of the specification, without `https://modelcontextprotocol.io/specification/`. */
  readonly source: string;
  readonly holds: Holds;
  /** The behaviour, in one sentence. */
  readonly says: string;
}

interface Ways {
  readonly transports: readonly Transport[];
  readonly eras: readonly Era[];
}

export const WAYS: Readonly<Record<Holds, Ways>> = {
  everywhere: { transports: ['http', 'stdio'], eras: ['legacy', 'modern'] },
  legacy: { transports: ['http', 'stdio'], eras: ['legacy'] },
  modern: { transports: ['http', 'stdio'], eras: ['modern'] },
  http: { transports: ['http'], eras: ['legacy', 'modern'] },
  'legacy http': { transports: ['http'], eras: ['legacy'] },
  'modern http': { transports: ['http'], eras: ['modern'] },
  stdio: { transports: ['stdio'], eras: ['legacy', 'modern'] },
};
