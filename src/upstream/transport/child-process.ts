import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

const STDERR_TAIL_BYTES = 64 * 1024;
/** How much may wait to be read by a child that does not read. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** After stdin is closed a server may end by itself; then it is asked, then it is ended. */
const GRACE_MS = { endOfInput: 500, terminate: 2_000, lastOutput: 500 } as const;

export interface ChildProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  onOutput(chunk: Buffer): void;
  /** Told once, after all output: how the process ended, or why it could not be started. */
  onEnded(reason: string): void;
}

/** A child process in a process group of its own, so that what it started ends with it. Never a shell. */
export class ChildProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: ChildProcessOptions;
  readonly #exited: Promise<void>;
  #stderr: Buffer[] = [];
  #stderrBytes = 0;
  #ended: string | undefined;
  #resolveExited: () => void = () => {};

  constructor(options: ChildProcessOptions) {
    this.#options = options;
    this.#exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    this.#child = spawn(options.command, [...options.args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...options.env },
      shell: false,
      detached: true,
      stdio: 'pipe',
      windowsHide: true,
    });
    this.#child.stdout.on('data', (chunk: Buffer) => options.onOutput(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => this.#appendStderr(chunk));
    // A pipe that breaks is told of by the end of the process, which follows.
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.on('error', () => {});
    this.#child.once('error', (error: NodeJS.ErrnoException) => {
      if (this.#child.pid === undefined) this.#finish(`the command could not be started: ${error.code ?? error.name}`);
    });
    this.#child.once('exit', (code, signal) => this.#onExit(signal ?? `exit code ${code}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last 64 KB that it wrote to stderr: for an operator, never for the log or an agent. */
  get stderrTail(): string {
    return Buffer.concat(this.#stderr).subarray(-STDERR_TAIL_BYTES).toString('utf8');
  }

  /** Writes to stdin; false when the process is gone or has left too much unread, and nothing was written. */
  write(text: string): boolean {
    const { stdin } = this.#child;
    if (this.#ended !== undefined || !stdin.writable || stdin.writableLength > MAX_UNREAD_BYTES) return false;
    stdin.write(text);
    return true;
  }

  /** Ends the process and its group: closed stdin, then SIGTERM, then SIGKILL. Resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return this.#exited;
    this.#child.stdin.end();
    const terminate = setTimeout(() => this.#signalGroup('SIGTERM'), GRACE_MS.endOfInput);
    const kill = setTimeout(() => this.#signalGroup('SIGKILL'), GRACE_MS.endOfInput + GRACE_MS.terminate);
    await this.#exited;
    clearTimeout(terminate);
    clearTimeout(kill);
  }

  #onExit(exit: string): void {
    // What the server started must not outlive it; at this moment the group's id cannot have been given anew.
    this.#signalGroup('SIGKILL');
    const finish = (): void => this.#finish(`the process ended (${exit})`);
    // What it wrote last may still be in the pipe; a descendant that left the group may hold the pipe open for ever.
    const timer = setTimeout(finish, GRACE_MS.lastOutput);
    this.#child.once('close', () => {
      clearTimeout(timer);
      finish();
    });
  }

  #finish(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
    this.#resolveExited();
    this.#options.onEnded(reason);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: nobody of the group is left, which is what was wanted.
    }
  }

  #appendStderr(chunk: Buffer): void {
    this.#stderr.push(chunk);
    this.#stderrBytes += chunk.length;
    if (this.#stderrBytes < 2 * STDERR_TAIL_BYTES) return;
    this.#stderr = [Buffer.concat(this.#stderr).subarray(-STDERR_TAIL_BYTES)];
    this.#stderrBytes = STDERR_TAIL_BYTES;
  }
}

/** What a child process gets of the broker's own environment: nothing that may hold a secret. */
const INHERITED_VARIABLES = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
] as const;

/**
 * The environment of a tool server: the few inherited variables, then the declared ones. A value that begins with
 * `()` is an exported shell function and is left out, as in the SDK.
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  declared: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) {
    const value = inherited[name];
    if (value !== undefined && !value.startsWith('()')) environment[name] = value;
  }
  return Object.assign(environment, declared);
}
