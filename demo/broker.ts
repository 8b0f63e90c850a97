import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CHECKOUT = resolve(import.meta.dirname, '..');
const COMMAND = join(CHECKOUT, 'dist/cli/main.js');
const execute = promisify(execFile);

/** The built broker in a temporary directory, with the registry and policies of the demonstration. */
export class Broker {
  readonly #home: string = mkdtempSync(join(tmpdir(), 'seneschal-demo-'));
  #served: ChildProcess | undefined;

  constructor() {
    for (const name of ['registry', 'policies', 'misbehaving-server.mjs']) {
      cpSync(join(import.meta.dirname, name), join(this.#home, name), { recursive: true });
    }
    cpSync(join(CHECKOUT, 'data/files'), join(this.#home, 'files'), { recursive: true });
    symlinkSync(join(CHECKOUT, 'node_modules'), join(this.#home, 'node_modules'));
  }

  /** Runs a command of `seneschal` and returns its output. Rejects if it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await execute(process.execPath, [COMMAND, ...args], this.#options);
    return stdout.trimEnd();
  }

  /** Entry by which an agent's config starts `seneschal stdio`. */
  stdioEntry(agent: string): { command: string; args: string[]; env: Record<string, string>; cwd: string } {
    return { command: process.execPath, args: [COMMAND, 'stdio', '--agent', agent], ...this.#options };
  }

  /** Starts `serve` with a first key for an agent; returns the HTTP entry that it prints for the agent's config. */
  serve(agent: string): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
    const args = [COMMAND, 'serve', '--port', '0', '--first-key', agent];
    const served = spawn(process.execPath, args, { ...this.#options, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#served = served;
    return new Promise((resolve, reject) => {
      let printed = '';
      served.stderr.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        const entry = /^\{"mcpServers".*"type":"http".*\n/m.exec(printed);
        if (entry !== null) resolve(JSON.parse(entry[0]).mcpServers.seneschal);
      });
      served.on('close', () => reject(new Error(`the broker exited before it was ready: ${printed}`)));
    });
  }

  /** Stops the broker and removes its directory. */
  async close(): Promise<void> {
    if (this.#served !== undefined && this.#served.exitCode === null) {
      this.#served.kill();
      await once(this.#served, 'exit');
    }
    rmSync(this.#home, { recursive: true, force: true });
  }

  get #options(): { cwd: string; env: Record<string, string> } {
    const places = { REGISTRY: 'registry', POLICIES: 'policies', DATA: 'data' };
    const variables = Object.entries(places).map(([name, path]) => [`SENESCHAL_${name}`, join(this.#home, path)]);
    const { PATH = '', HOME = '' } = process.env;
    return { cwd: this.#home, env: { PATH, HOME, DEMO_HOME: this.#home, ...Object.fromEntries(variables) } };
  }
}
