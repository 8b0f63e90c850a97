import type { ListedServer } from '../../registry/catalog.ts';
import type { Registry } from '../../registry/load.ts';
import { type Asking, askServers } from '../ask-servers.ts';
import type { ServerDraft } from './draft.ts';
import { safeLastLine } from './safe-line.ts';

/** What the server of a draft said when it was asked once. */
export type Answered =
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
export async function askDrafts(
  drafts: readonly ServerDraft[],
  registry: Registry,
  asking: Asking,
): Promise<readonly Answered[]> {
  const env = { ...asking.env };
  for (const { secrets } of drafts) for (const [name, secret] of secrets) env[name] = secret.reveal();
  const { observed, stderrTails } = await askServers(registry, { ...asking, env });
  return drafts.map((draft): Answered => {
    const seen = observed.get(draft.name);
    if (seen?.status === 'listed') return { draft, listed: seen };
    const error = seen?.status === 'failed' ? seen.error : 'it was not asked';
    const lastLine = safeLastLine(stderrTails.get(draft.name) ?? '', draft, env);
    return { draft, error, ...(lastLine === undefined ? {} : { lastLine }) };
  });
}
