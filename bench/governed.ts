import { ENGINE_FLAGS } from '../src/cli/engine-flags.ts';
import { Home, type Served } from '../test/fixtures/home.ts';

/** A broker with everything on, in front of one tool server. */
export interface Governed {
  readonly served: Served;
  readonly key: string;
  readonly startMs: number;
  close(): Promise<void>;
}

/** Writes a home for a broker in front of `upstreamUrl`, makes a key, starts `serve` and waits until it is ready. */
export async function startGoverned(upstreamUrl: string): Promise<Governed> {
  const home = new Home();
  home.write({
    'registry/servers/crm.yaml': `name: crm
transport: { type: streamable-http, url: "${upstreamUrl}" }
timeout: 30s
sharing: all
pin: auto
tools:
  lookup: { risk: read, costUsd: "0.000001" }
`,
    'registry/agents/bench.yaml': 'name: bench\nowner: ana@example.org\nteam: support\ncostCenter: cc-42\n',
    'policies/policy.csv':
      'p, role:support, tool:crm/lookup*, call, "args.depth <= 5", allow\ng, agent:bench, role:support\n',
    'policies/limits.yaml': `rates:
  - { subject: "agent:*", resource: "tool:*", action: call, limit: 10000/s, burst: 100000 }
  - { subject: "agent:bench", resource: "tool:crm/*", action: call, limit: 10000/s, burst: 100000 }
budgets:
  - { subject: "agent:bench", resource: "tool:*", window: month, hard: { calls: 1000000000, usd: "1000000.00" }, soft: 80% }
`,
  });
  const key = await home.key('bench');
  const startedMs = performance.now();
  // As `npm start` and the unit of the how-to page start it.
  const served = await home.serve({ engine: ENGINE_FLAGS });
  const startMs = performance.now() - startedMs;
  return { served, key, startMs, close: () => home.close() };
}
