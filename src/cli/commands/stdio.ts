import type { Socket } from 'node:net';
import type { Command } from 'commander';
import { daemonSocketPath, isDaemonAbsent, isDaemonLeaving } from '../../app/daemon-client.ts';
import type { Settings } from '../../app/settings.ts';
import { connectAgent } from '../../ingress/socket-client.ts';
import { dataDirectoryHolder } from '../../storage/data-directory.ts';
import { type BackgroundDaemon, startBackgroundDaemon } from '../background-daemon.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../output.ts';
import { type CommonFlags, settingsFlags, settingsOf } from '../settings-flags.ts';

/** How long a daemon may take to come up. */
const START_MS = 20_000;
const LOOK_EVERY_MS = 40;

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
  let started: BackgroundDaemon | undefined;
  for (const until = performance.now() + START_MS; ; ) {
    try {
      return await connectAgent(path, agent);
    } catch (error) {
      const mayCome = isDaemonAbsent(error) || isDaemonLeaving(error);
      if (!mayCome || performance.now() > until) throw error;
    }
    const failure = started?.failure();
    // Another one was faster: that one is waited for, and where it goes away, the next is started.
    if (failure?.code === 'data-directory-in-use') started = undefined;
    else if (failure) throw failure;
    if (!started && !dataDirectoryHolder(settings.data)) started = startBackgroundDaemon(settings);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
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
  if (!process.stdin.readableEnded && process.stdout.writable) {
    say('the broker has ended the connection');
    process.exitCode = EXIT.failed;
  }
  process.stdin.destroy();
}
