/**
 * How the engine is told to run a broker that serves: with three times 64 MB for what lives no longer than a call, it
 * clears up less often and copies less of the calls under way. `npm start` and the unit of `docs/how-to/` say the same.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64'];
