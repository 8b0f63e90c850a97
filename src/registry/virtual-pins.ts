import { globMatches } from '../lib/glob.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { selects } from './selection.ts';
import { KINDS, NAMED_KINDS, namedOriginals } from './virtual-findings.ts';
import type { VirtualServer } from './virtual-settings.ts';
import type { ViewFinding } from './virtual-view.ts';

/** What is agreed to, without any server being asked. */
export interface AgreedTo {
  /** `tool:<server>/<tool>`, `prompt:<server>/<prompt>`. */
  readonly pinned: readonly string[];
  /** Servers of which pins tell what they offer: there is no saying of one that was never seen and pins by itself. */
  readonly servers: readonly string[];
}

/**
 * Tools and prompts that a virtual server names and that nobody has agreed to, so that it does not show them. Of
 * resources, which are not pinned, nothing is said.
 */
export function unpinnedOriginals(server: VirtualServer, { pinned, servers }: AgreedTo): ViewFinding[] {
  return NAMED_KINDS.flatMap((kind) => {
    const what = KINDS[kind];
    const agreed = pinned.flatMap((id) => (id.startsWith(`${what}:`) ? [id.slice(what.length + 1)] : []));
    const isKnown = (original: string): boolean => servers.includes(original.slice(0, original.indexOf('/')));
    return [
      ...namedOriginals(server, kind).flatMap(([original, at]) => {
        if (!isKnown(original) || agreed.includes(original)) return [];
        const near = nearestWord(original, agreed);
        const hint = near === undefined ? LOOK : `did you mean \`${near}\`?`;
        return [{ at, message: `no ${what} \`${original}\` is pinned, so that it is not shown`, hint }];
      }),
      ...server.settings[kind].include.flatMap((glob, index) => {
        if (!isKnown(glob) || agreed.some((original) => globMatches(glob, original))) return [];
        const message = `\`${glob}\` matches no ${what} that is pinned`;
        return [{ at: server.at([kind, 'include', index]), message, hint: LOOK }];
      }),
    ];
  });
}

/** Ids of the tools and prompts that are agreed to and that a virtual server shows. */
export function pinnedMembers({ settings }: VirtualServer, pinned: readonly string[]): readonly string[] {
  return pinned.filter((id) =>
    NAMED_KINDS.some((kind) => {
      if (!id.startsWith(`${KINDS[kind]}:`)) return false;
      const original = id.slice(KINDS[kind].length + 1);
      return selects(settings[kind], original) || [...settings[kind].rename.values()].includes(original);
    }),
  );
}

const LOOK = '`seneschal registry list` shows what there is, `seneschal registry pin` agrees to it';
