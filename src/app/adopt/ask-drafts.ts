import type { ListedServer } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { type DiscoveryOptions, discoverServers } from '../ask-servers.ts';
import type { ServerDraft } from './draft.ts';
import { redactedLastLine } from './safe-line.ts';

/** What the server of a draft said when it was asked once. */
export type ProbeResult =
  | { readonly draft: ServerDraft; readonly listed: ListedServer }
  | {
      readonly draft: ServerDraft;
      readonly error: string;
      /** The last line of its stderr, without secrets. */
      readonly lastLine?: string;
    };

/**
 * Asks the server of each draft as `askServers` does, with what stood in clear text where it was found. `registry` holds
 * a server for each draft.
 */
export async function probeDrafts(
  drafts: readonly ServerDraft[],
  registry: Registry,
  options: DiscoveryOptions,
): Promise<readonly ProbeResult[]> {
  const env = { ...options.env };
  for (const { secrets } of drafts) for (const [name, secret] of secrets) env[name] = secret.reveal();
  const { discovered, stderrTails } = await discoverServers(registry, { ...options, env });
  return drafts.map((draft): ProbeResult => {
    const server = discovered.get(draft.name);
    if (server?.status === 'listed') return { draft, listed: server };
    const error = server?.status === 'failed' ? server.error : 'it was not asked';
    const lastLine = redactedLastLine(stderrTails.get(draft.name) ?? '', draft, env);
    return { draft, error, ...(lastLine === undefined ? {} : { lastLine }) };
  });
}
