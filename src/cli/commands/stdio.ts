import type { Socket } from 'node:net';
import { daemonSocketPath, isDaemonAbsent, isDaemonClosing } from '../../app/runtime/daemon-socket.ts';
import type { Settings } from '../../app/settings.ts';
import { parseAgentName } from '../../domain/principal.ts';
import { ProblemError } from '../../domain/problem.ts';
import { connectAgent } from '../../ingress/socket/connect.ts';
import { findDataDirectoryHolder } from '../../storage/data-directory.ts';
import { type BackgroundDaemon, startBackgroundDaemon } from '../daemon/background-daemon.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT, type ExitCode } from '../framework/exit-codes.ts';

/** Time for a broker in the background to start. */
const START_TIMEOUT_MS = 20_000;
const RETRY_INTERVAL_MS = 40;

/** The shim that an agent's config starts. It forwards bytes between the agent and the broker, and decides nothing. */
export const stdio: CommandDefinition = defineCommand({
  path: 'stdio',
  summary: 'serve one agent over MCP on standard input and output; starts the broker if none runs',
  description: `The config of an agent starts this command as its MCP server. It forwards messages between the agent and the broker
    of the data directory, and decides nothing. If no broker runs, it starts one in the background, which listens only
    on the socket of the data directory and exits five minutes after the last agent has disconnected. The agent is
    authenticated by the operating-system user.`,
  flags: [
    { name: 'agent', value: 'agent', description: 'the agent, as `registry/agents/` declares it', required: true },
    {
      name: 'server',
      value: 'server',
      description:
        'only the features of this server or virtual server of the registry (default: everything that the agent may use)',
    },
  ],
  settings: ['registry', 'policies', 'data'],
  ownOutput: true,
  exitCodes: {
    yes: 'the agent closed the connection',
    failed: 'the broker closed the connection, or could not be started',
  },
  examples: [
    {
      title: 'Check that the broker answers an agent over stdio',
      line: `echo '{"jsonrpc":"2.0","id":1,"method":"ping"}' | seneschal stdio --agent demo`,
    },
  ],
  run: async ({ flags, settings }) =>
    forward(await connectToDaemon(settings(), { agent: parseAgentName(flags.agent), server: flags.server })),
});

async function connectToDaemon(
  settings: Settings,
  { agent, server }: { readonly agent: string; readonly server: string | undefined },
): Promise<Socket> {
  const path = daemonSocketPath(settings);
  let started: BackgroundDaemon | undefined;
  for (const deadlineMs = performance.now() + START_TIMEOUT_MS; ; ) {
    try {
      return await connectAgent(path, agent, server);
    } catch (error) {
      const isStarting = isDaemonAbsent(error) || isDaemonClosing(error);
      if (!isStarting || performance.now() > deadlineMs) throw error;
    }
    const failure = started?.failure();
    // Another broker has locked the data directory first: wait for it, and start the next one if it exits.
    if (failure?.code === 'data-directory-in-use') started = undefined;
    else if (failure) throw failure;
    if (!started && !findDataDirectoryHolder(settings.data)) started = startBackgroundDaemon(settings);
    await new Promise((done) => setTimeout(done, RETRY_INTERVAL_MS));
  }
}

/** Forwards both ways until one side closes, and then closes the other. */
async function forward(socket: Socket): Promise<ExitCode> {
  await new Promise<void>((done) => {
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
    socket.once('close', done);
    process.stdout.once('error', () => socket.destroy());
    socket.resume();
  });
  const isLost = !process.stdin.readableEnded && process.stdout.writable;
  process.stdin.destroy();
  if (!isLost) return EXIT.yes;
  const hint = 'start the agent again, or run `seneschal serve` in a terminal to see why';
  throw new ProblemError([
    { code: 'daemon-connection-lost', at: '', message: 'the broker closed the connection', hint },
  ]);
}
