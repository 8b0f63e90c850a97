import type { Check } from './check.ts';

/** The oldest Node that is tested; `engines` of package.json says the same. */
export const MIN_NODE_VERSION = '20.19.0';

export const nodeVersionCheck: Check = {
  name: 'node',
  run: ({ machine }) => ({
    facts: { node: machine.nodeVersion },
    findings: isOlder(machine.nodeVersion, MIN_NODE_VERSION)
      ? [
          {
            code: 'doctor-node-too-old',
            at: process.execPath,
            message: `Node ${machine.nodeVersion} is older than ${MIN_NODE_VERSION}`,
            hint: `install Node ${MIN_NODE_VERSION} or newer`,
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
