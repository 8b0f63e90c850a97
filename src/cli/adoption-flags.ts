/** Agrees to what would be asked. */
export const YES_FLAG = { name: 'yes', description: 'agree beforehand, without being asked' } as const;

export const SKIP_BROKEN_FLAG = {
  name: 'skip-broken',
  description: 'leave tools that are not admitted blocked, instead of refusing their server',
} as const;
