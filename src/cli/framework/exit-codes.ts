/** Exit codes of all commands. */
export const EXIT = {
  /** Success; the answer is yes. */
  yes: 0,
  /** A disk, a socket or another process failed. */
  failed: 1,
  /** A flag, an environment variable or a file is invalid. */
  usage: 2,
  /** The answer is no: a policy test failed, `policy explain` denies, a tool drifted. */
  refused: 3,
  /** Verification failed: the ledger does not add up. */
  verification: 4,
  /** Interrupted by Ctrl-C: 128 plus the number of SIGINT, as in shells. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
