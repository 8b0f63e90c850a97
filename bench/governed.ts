import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Home, type Served } from '../test/fixtures/homes/home.ts';

/** Memory of a process: resident, and live objects of the engine. */
export interface Memory {
  readonly rssBytes: number;
  readonly liveBytes: number;
}

const PROBE = resolve(import.meta.dirname, 'memory-probe.mjs');

/** A broker with every control configured, in front of one tool server. */
export interface Governed {
  readonly served: Served;
  /** Key of the first agent. */
  readonly key: string;
  readonly keys: readonly string[];
  readonly startMs: number;
  /** Memory after a garbage collection. Requires the option `probed`. */
  memory(): Promise<Memory>;
  close(): Promise<void>;
}

export interface GovernedOptions {
  /** Default: one. */
  readonly agents?: readonly string[];
  /** True to make `memory` available. Default: false. */
  readonly probed?: boolean;
  /** Path of the program. Default: the built checkout. */
  readonly command?: string;
  /** Flags of Node. Default: none, as a user starts it. */
  readonly engine?: readonly string[];
}

/**
 * Writes a home for a broker in front of `upstreamUrl`, creates a key for each agent, starts `serve` and waits until it
 * is ready. All agents have the same limits.
 */
export async function startGoverned(
  upstreamUrl: string,
  { agents = ['bench'], probed = false, command, engine = [] }: GovernedOptions = {},
): Promise<Governed> {
  const home = new Home();
  for (const agent of agents) {
    home.write({
      [`registry/agents/${agent}.yaml`]: `name: ${agent}\nowner: ana@example.org\nteam: support\ncostCenter: cc-42\n`,
    });
  }
  home.write({
    'registry/servers/crm.yaml': `name: crm
transport: { type: streamable-http, url: "${upstreamUrl}" }
timeout: 30s
sharing: all
pin: auto
tools:
  lookup: { risk: read, costUsd: "0.000001" }
`,
    'policies/policy.csv': `p, role:support, tool:crm/lookup*, call, "args.depth <= 5", allow
${agents.map((agent) => `g, agent:${agent}, role:support\n`).join('')}`,
    'policies/limits.yaml': `rates:
  - { subject: "agent:*", resource: "tool:*", action: call, limit: 10000/s, burst: 100000 }
  - { subject: "agent:bench*", resource: "tool:crm/*", action: call, limit: 10000/s, burst: 100000 }
budgets:
  - { subject: "agent:bench*", resource: "tool:*", window: month, hard: { calls: 1000000000, usd: "1000000.00" }, soft: 80% }
`,
  });
  const keys: string[] = [];
  for (const agent of agents) keys.push(await home.key(agent));
  const startedMs = performance.now();
  const probe = home.path('memory.json');
  const served = await home.serve({
    engine: [...engine, ...(probed ? ['--expose-gc', '--import', PROBE] : [])],
    ...(command === undefined ? {} : { command }),
    env: { BENCH_PROBE_FILE: probe },
  });
  const startMs = performance.now() - startedMs;
  return {
    served,
    key: keys[0] ?? '',
    keys,
    startMs,
    memory: () => readMemory(served, probe),
    close: () => home.close(),
  };
}

async function readMemory({ child }: Served, file: string): Promise<Memory> {
  const samplesOf = (): number => (existsSync(file) ? read(file).samples : 0);
  const before = samplesOf();
  child.kill('SIGUSR2');
  while (samplesOf() === before) await wait(20);
  return read(file);
}

function read(file: string): Memory & { readonly samples: number } {
  // `as`: memory-probe.mjs writes nothing else.
  return JSON.parse(readFileSync(file, 'utf8')) as Memory & { readonly samples: number };
}
