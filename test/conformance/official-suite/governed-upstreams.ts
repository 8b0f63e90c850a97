import { Home } from '../../fixtures/homes/home.ts';
import { type Era, type RunningUpstream, startUpstream } from '../upstream/start.ts';
import { type KeyProxy, startKeyProxy } from './key-proxy.ts';

/** The upstream of both eras, and a broker in front of them that forbids nothing. */
export interface GovernedUpstreams {
  /** Where the suite finds the upstream of that era itself. */
  directUrl(era: Era): string;
  /** Where it finds it through the broker, un-prefixed and without a key. */
  throughUrl(era: Era): string;
  close(): Promise<void>;
}

const POLICY = `p, agent:suite, tool:*, call, , allow
p, agent:suite, prompt:*, *, , allow
p, agent:suite, resource:*, *, , allow
p, agent:suite, server:*, *, , allow
`;

export async function startGovernedUpstreams(): Promise<GovernedUpstreams> {
  const upstreams = { legacy: await startUpstream('legacy'), modern: await startUpstream('modern') };
  const proxy = await startKeyProxy();
  const home = homeFor(upstreams);
  const key = await home.key('suite');
  // Its name and its pages are those of the proxy, which keeps `Host` and `Origin` as they came.
  const names = ['127.0.0.1', 'localhost'].map((name) => `${name}:${proxy.port}`);
  const args = names.flatMap((name) => ['--allow-host', name, '--allow-origin', `http://${name}`]);
  const served = await home.serve({ args });
  proxy.standBefore(Number(new URL(served.url).port), key);
  await untilListed(proxy);
  return {
    directUrl: (era) => upstreams[era].url,
    throughUrl: (era) => urlOf(proxy, era),
    close: async () => {
      await home.close();
      await Promise.all([proxy.close(), upstreams.legacy.close(), upstreams.modern.close()]);
    },
  };
}

function homeFor(upstreams: Readonly<Record<Era, RunningUpstream>>): Home {
  const home = new Home();
  home.write({
    'policies/policy.csv': POLICY,
    'registry/agents/suite.yaml': 'name: suite\nowner: ana@example.org\n',
    ...Object.fromEntries(
      Object.entries(upstreams).map(([era, { url }]) => [
        `registry/servers/${era}.yaml`,
        `name: ${era}\ntransport: { type: streamable-http, url: ${JSON.stringify(url)} }\npin: auto\n`,
      ]),
    ),
  });
  return home;
}

function urlOf({ port }: KeyProxy, era: Era): string {
  return `http://127.0.0.1:${port}/servers/${era}/mcp`;
}

/** Until a server was listed, the broker has nothing of it to show. */
async function untilListed(proxy: KeyProxy): Promise<void> {
  const eras: readonly Era[] = ['legacy', 'modern'];
  for (const era of eras) {
    for (let looked = 0; (await toolsAt(urlOf(proxy, era))) === 0; looked += 1) {
      if (looked === 200) throw new Error(`the broker shows no tool of the upstream \`${era}\``);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function toolsAt(url: string): Promise<number> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } }),
  });
  // `as`: an answer of the broker to `tools/list`; one that is an error has no result.
  const { result } = (await answer.json()) as { readonly result?: { readonly tools: readonly object[] } };
  return result?.tools.length ?? 0;
}
