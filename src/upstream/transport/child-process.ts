import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

const STDERR_TAIL_BYTES = 64 * 1024;
/** Bytes that may be buffered for a child that does not read its stdin. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** Time to exit after stdin closes and before SIGTERM; then before SIGKILL; then for the last output. */
const GRACE_MS = { endOfInput: 500, terminate: 2_000, lastOutput: 500 } as const;

export interface ChildProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  onOutput(chunk: Buffer): void;
  /** Called once, after all output, with the reason: the process ended, or could not be started. */
  onEnded(reason: string): void;
}

/** A child process in its own process group, so that its descendants end with it. Never a shell. */
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
    // A broken pipe is followed by the exit of the process, which is reported.
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.on('error', () => {});
    this.#child.once('error', (error: NodeJS.ErrnoException) => {
      if (this.#child.pid === undefined) this.#finish(`the command could not be started: ${error.code ?? error.name}`);
    });
    this.#child.once('exit', (code, signal) => this.#onExit(signal ?? `exit code ${code}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Last 64 KB of stderr: for an operator, never for the log or an agent. */
  get stderrTail(): string {
    return Buffer.concat(this.#stderr).subarray(-STDERR_TAIL_BYTES).toString('utf8');
  }

  /** Writes to stdin. Returns false, and writes nothing, if the process has exited or has 16 MB left to read. */
  write(text: string): boolean {
    const { stdin } = this.#child;
    if (this.#ended !== undefined || !stdin.writable || stdin.writableLength > MAX_UNREAD_BYTES) return false;
    stdin.write(text);
    return true;
  }

  /** Ends the process and its group: closes stdin, then SIGTERM, then SIGKILL. Resolves when the process has exited. */
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
    // Descendants must not outlive the server. At this moment the group id cannot have been reused.
    this.#signalGroup('SIGKILL');
    const finish = (): void => this.#finish(`the process ended (${exit})`);
    // Its last output may still be in the pipe, and a descendant that left the group may keep the pipe open for ever.
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
      // ESRCH: no process of the group is left.
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

/** Variables of the broker's environment that a child process inherits; none of them may hold a secret. */
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
 * Builds the environment of a tool server: the inherited variables, then the declared ones. An inherited value that
 * begins with `()` is an exported shell function and is left out, as in the SDK.
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
