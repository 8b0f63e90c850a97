import type { Socket } from 'node:net';
import { daemonSocketPath, isDaemonAbsent, isDaemonLeaving } from '../../app/daemon-client.ts';
import type { Settings } from '../../app/settings.ts';
import { agentNameOf } from '../../domain/agent-name.ts';
import { ProblemError } from '../../domain/problem.ts';
import { connectAgent } from '../../ingress/socket-client.ts';
import { dataDirectoryHolder } from '../../storage/data-directory.ts';
import { type BackgroundDaemon, startBackgroundDaemon } from '../background-daemon.ts';
import { type CommandDeclaration, defineCommand } from '../declaration.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** How long a daemon may take to come up. */
const START_MS = 20_000;
const LOOK_EVERY_MS = 40;

/** The thin shim that an agent's config starts. It carries bytes between the agent and the daemon, and decides nothing. */
export const stdio: CommandDeclaration = defineCommand({
  path: 'stdio',
  summary: 'speak MCP on standard input and output for one agent; starts the broker where none runs',
  does: `Is what an agent's config starts as its MCP server. It carries messages between the agent and the broker of the data
    directory, and decides nothing. Where no broker runs it starts one in the background, which listens on the socket
    of the data directory alone and ends five minutes after its last agent. The operating-system user is the proof of
    the agent.`,
  flags: [
    { name: 'agent', value: 'agent', what: 'the agent, as `registry/agents/` declares it', required: true },
    {
      name: 'server',
      value: 'server',
      what: 'a server or virtual server of the registry, to speak with it alone (default: all that the agent may use)',
    },
  ],
  settings: ['registry', 'policies', 'data'],
  ownOutput: true,
  exits: {
    yes: 'the agent has closed its side',
    failed: 'the broker has ended the connection, or could not be started',
  },
  examples: [
    {
      wish: 'See that the broker answers an agent over stdio',
      line: `echo '{"jsonrpc":"2.0","id":1,"method":"ping"}' | seneschal stdio --agent demo`,
    },
  ],
  run: async ({ flags, settings }) =>
    carry(await connected(settings(), { agent: agentNameOf(flags.agent), server: flags.server })),
});

async function connected(
  settings: Settings,
  { agent, server }: { readonly agent: string; readonly server: string | undefined },
): Promise<Socket> {
  const path = daemonSocketPath(settings);
  let started: BackgroundDaemon | undefined;
  for (const until = performance.now() + START_MS; ; ) {
    try {
      return await connectAgent(path, agent, server);
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
async function carry(socket: Socket): Promise<ExitCode> {
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
  const hint = 'start the agent again, or run `seneschal serve` to see why it ends';
  throw new ProblemError([
    { code: 'daemon-connection-lost', at: '', message: 'the broker has ended the connection', hint },
  ]);
}
