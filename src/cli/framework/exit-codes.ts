/** What the exit status of every command means. */
export const EXIT = {
  /** Done; the answer is yes. */
  yes: 0,
  /** It failed for a reason of the world: a disk, a socket, another process. */
  failed: 1,
  /** A flag, an environment variable or a file is wrong. */
  usage: 2,
  /** The answer is no: a policy test failed, `explain` says deny, a tool drifted. */
  refused: 3,
  /** What was recorded does not add up. */
  verification: 4,
  /** A person ended it with Ctrl-C: 128 and the number of SIGINT, as shells count. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
