import { didYouMean } from '../../lib/text/did-you-mean.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { ViewWarning } from './build.ts';
import { KINDS, NAMED_KINDS, namedReferences } from './references.ts';
import type { VirtualServer } from './settings.ts';
import { isIncluded } from './settings.ts';

/** The pinned ids of all servers, known without discovery. */
export interface PinnedNames {
  /** `tool:<server>/<tool>`, `prompt:<server>/<prompt>`. */
  readonly pinned: readonly string[];
  /** Servers whose pins are complete, which excludes a server with `pin: auto` that was never discovered. */
  readonly servers: readonly string[];
}

/** Finds tools and prompts that a virtual server names but that are not pinned. Ignores resources, which are not pinned. */
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
        return [{ at, message: `the ${noun} \`${source}\` is not pinned, so it is not shown`, hint }];
      }),
      ...server.settings[kind].include.flatMap((glob, index) => {
        if (!isAgreed(glob) || agreed.some((source) => globMatches(glob, source))) return [];
        const message = `\`${glob}\` matches no pinned ${noun}`;
        return [{ at: server.at([kind, 'include', index]), message, hint: LIST_HINT }];
      }),
    ];
  });
}

/** Ids of the pinned tools and prompts that a virtual server shows. */
export function pinnedIds({ settings }: VirtualServer, pinned: readonly string[]): readonly string[] {
  return pinned.filter((id) =>
    NAMED_KINDS.some((kind) => {
      if (!id.startsWith(`${KINDS[kind]}:`)) return false;
      const source = id.slice(KINDS[kind].length + 1);
      return isIncluded(settings[kind], source) || [...settings[kind].rename.values()].includes(source);
    }),
  );
}

const LIST_HINT =
  'run `seneschal registry list` to see the tools and prompts, and `seneschal registry pin` to pin them';
