import { didYouMean } from '../../lib/text/did-you-mean.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { ViewWarning } from './build.ts';
import { KINDS, NAMED_KINDS, namedReferences } from './references.ts';
import type { VirtualServer } from './settings.ts';
import { isIncluded } from './settings.ts';

/** What is agreed to, without any server being asked. */
export interface PinnedNames {
  /** `tool:<server>/<tool>`, `prompt:<server>/<prompt>`. */
  readonly pinned: readonly string[];
  /** Servers of which pins tell what they offer: there is no saying of one that was never seen and pins by itself. */
  readonly servers: readonly string[];
}

/**
 * Tools and prompts that a virtual server names and that nobody has agreed to, so that it does not show them. Of
 * resources, which are not pinned, nothing is said.
 */
export function findUnpinnedReferences(server: VirtualServer, { pinned, servers }: PinnedNames): ViewWarning[] {
  return NAMED_KINDS.flatMap((kind) => {
    const noun = KINDS[kind];
    const agreed = pinned.flatMap((id) => (id.startsWith(`${noun}:`) ? [id.slice(noun.length + 1)] : []));
    const isAgreed = (source: string): boolean => servers.includes(source.slice(0, source.indexOf('/')));
    return [
      ...namedReferences(server, kind).flatMap(([source, at]) => {
        if (!isAgreed(source) || agreed.includes(source)) return [];
        const near = didYouMean(source, agreed);
        const hint = near === undefined ? LIST_HINT : `did you mean \`${near}\`?`;
        return [{ at, message: `no ${noun} \`${source}\` is pinned, so that it is not shown`, hint }];
      }),
      ...server.settings[kind].include.flatMap((glob, index) => {
        if (!isAgreed(glob) || agreed.some((source) => globMatches(glob, source))) return [];
        const message = `\`${glob}\` matches no ${noun} that is pinned`;
        return [{ at: server.at([kind, 'include', index]), message, hint: LIST_HINT }];
      }),
    ];
  });
}

/** Ids of the tools and prompts that are agreed to and that a virtual server shows. */
export function pinnedIds({ settings }: VirtualServer, pinned: readonly string[]): readonly string[] {
  return pinned.filter((id) =>
    NAMED_KINDS.some((kind) => {
      if (!id.startsWith(`${KINDS[kind]}:`)) return false;
      const source = id.slice(KINDS[kind].length + 1);
      return isIncluded(settings[kind], source) || [...settings[kind].rename.values()].includes(source);
    }),
  );
}

const LIST_HINT = '`seneschal registry list` shows what there is, `seneschal registry pin` agrees to it';
