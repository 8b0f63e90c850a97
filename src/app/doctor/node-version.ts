import type { Check } from './check.ts';

/** The oldest Node that is tested; `engines` of package.json says the same. */
export const OLDEST_NODE = '20.19.0';

export const nodeVersion: Check = {
  name: 'node',
  run: ({ machine }) => ({
    facts: { node: machine.nodeVersion },
    findings: isOlder(machine.nodeVersion, OLDEST_NODE)
      ? [
          {
            code: 'doctor-node-too-old',
            at: process.execPath,
            message: `Node ${machine.nodeVersion} is older than ${OLDEST_NODE}`,
            hint: `install Node ${OLDEST_NODE} or newer`,
          },
        ]
      : [],
  }),
};

function isOlder(version: string, oldest: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of oldest.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
