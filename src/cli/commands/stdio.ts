import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { daemonSocketPath, isDaemonAbsent } from '../../app/daemon-client.ts';
import type { Settings } from '../../app/settings.ts';
import { connectAgent } from '../../ingress/socket-client.ts';
import { type CommonFlags, settingsFlags, settingsOf } from '../settings-flags.ts';

/** How long a daemon may take to come up. */
const START_MS = 20_000;
const LOOK_EVERY_MS = 40;
/** A daemon that was started for agents alone ends itself after so long without one. */
const IDLE_EXIT = '5m';

/** `stdio`: the thin shim that an agent's config starts. It carries bytes between the agent and the daemon, and decides nothing. */
export function registerStdio(program: Command): void {
  settingsFlags(program.command('stdio'), ['registry', 'policies', 'data'])
    .description('speak MCP on standard input and output for one agent; starts the broker where none runs')
    .requiredOption('--agent <name>', 'the agent, as `registry/agents/` declares it')
    .action(async (flags: Partial<CommonFlags> & { agent: string }) => {
      const socket = await connected(settingsOf(flags), flags.agent.replace(/^agent:/, ''));
      await carry(socket);
    });
}

async function connected(settings: Settings, agent: string): Promise<Socket> {
  const path = daemonSocketPath(settings);
  let started = false;
  for (const until = performance.now() + START_MS; ; ) {
    try {
      return await connectAgent(path, agent);
    } catch (error) {
      if (!isDaemonAbsent(error) || performance.now() > until) throw error;
      if (!started) startDaemonBehind(settings);
      started = true;
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    }
  }
}

/** Starts the broker in the background. Of two that are started at once one takes the data directory and the other ends. */
function startDaemonBehind(settings: Settings): void {
  const data = resolve(settings.data);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const log = openSync(join(data, 'broker.log'), 'a', 0o600);
  const args = ['serve', '--no-http', '--idle-exit', IDLE_EXIT, '--output', 'json'];
  const places = ['--registry', resolve(settings.registry), '--policies', resolve(settings.policies), '--data', data];
  const main = fileURLToPath(new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, main, ...args, ...places], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
}

/** Carries both ways until one side ends; then the other is ended too. */
async function carry(socket: Socket): Promise<void> {
  await new Promise<void>((done) => {
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
    socket.once('close', done);
    process.stdout.once('error', () => socket.destroy());
    socket.resume();
  });
  process.stdin.destroy();
}
