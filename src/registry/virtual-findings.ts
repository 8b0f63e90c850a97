import type { YamlPath } from '../config/yaml-file.ts';
import { globMatches } from '../lib/glob.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { originalOf } from './selection.ts';
import type { ToolState } from './tool-state.ts';
import type { ViewSource } from './view-parts.ts';
import type { VirtualServer } from './virtual-settings.ts';
import type { ViewFinding } from './virtual-view.ts';

/** What servers offer, as far as it is known. */
export interface KnownOffers extends Pick<ViewSource, 'resourceOffers' | 'servers'> {
  readonly states: readonly ToolState[];
}

/** The kinds of which a virtual server may name one by one. */
export const NAMED_KINDS = ['tools', 'prompts'] as const;
export const KINDS = { tools: 'tool', prompts: 'prompt' } as const;

/** What a virtual server names that is not there, or cannot be used. Of a server that was not listed nothing is said. */
export function unknownOriginals(server: VirtualServer, known: KnownOffers): ViewFinding[] {
  const { settings, at } = server;
  return [
    ...NAMED_KINDS.flatMap((kind) =>
      namedOriginals(server, kind).flatMap(([original, place]) => missing(original, { kind, place, known })),
    ),
    ...(['tools', 'prompts', 'resources'] as const).flatMap((kind) =>
      settings[kind].include.flatMap((glob, index) =>
        idle(glob, { kind, at: at([kind, 'include', index] as YamlPath), known }),
      ),
    ),
  ];
}

/** Every original that a virtual server names without a glob, with its place. */
export function namedOriginals(
  { settings, at, keyAt }: VirtualServer,
  kind: (typeof NAMED_KINDS)[number],
): readonly (readonly [original: string, at: string])[] {
  const { rename, override } = settings[kind];
  return [
    ...Array.from(rename, ([name, original]) => [original, at([kind, 'rename', name])] as const),
    ...Array.from(override.keys(), (original) => [original, keyAt([kind, 'override', original])] as const),
  ];
}

function missing(
  original: string,
  { kind, place, known }: { readonly kind: 'tools' | 'prompts'; readonly place: string; readonly known: KnownOffers },
): ViewFinding[] {
  const what = KINDS[kind];
  const states = known.states.filter((state) => state.kind === what);
  const state = states.find(({ server, tool }) => originalOf(server, tool) === original);
  if (state?.status === 'active') return [];
  if (state !== undefined && state.status !== 'missing') {
    const message = `\`${original}\` is not shown: it is ${state.status}`;
    return [{ at: place, message, hint: 'look at it with `seneschal registry diff`' }];
  }
  const server = original.slice(0, original.indexOf('/'));
  // Whether it is registered was asked when the file was read.
  if (known.servers.get(server) !== 'listed') return [];
  const others = states.filter((each) => each.server === server && each.status === 'active');
  const near = nearestWord(
    original,
    others.map(({ tool }) => originalOf(server, tool)),
  );
  const hint = near === undefined ? '`seneschal registry list` shows what there is' : `did you mean \`${near}\`?`;
  return [{ at: place, message: `\`${server}\` has no ${what} \`${original.slice(server.length + 1)}\``, hint }];
}

function idle(
  glob: string,
  {
    kind,
    at,
    known,
  }: { readonly kind: 'tools' | 'prompts' | 'resources'; readonly at: string; readonly known: KnownOffers },
): ViewFinding[] {
  const pattern = glob.slice(0, glob.indexOf('/'));
  const servers = [...known.servers].filter(([name]) => globMatches(pattern, name));
  if (servers.length === 0 || servers.some(([, status]) => status !== 'listed')) return [];
  if (originalsOf(kind, known).some((original) => globMatches(glob, original))) return [];
  return [{ at, message: `\`${glob}\` matches nothing`, hint: '`seneschal registry list` shows what there is' }];
}

function originalsOf(kind: 'tools' | 'prompts' | 'resources', { states, resourceOffers }: KnownOffers): string[] {
  const wanted = kind === 'resources' ? 'template' : KINDS[kind];
  const declared = states.flatMap((state) => (state.kind === wanted ? [originalOf(state.server, state.tool)] : []));
  if (kind !== 'resources') return declared;
  return [
    ...declared,
    ...resourceOffers.flatMap(({ server, byUri }) => Array.from(byUri.keys(), (uri) => originalOf(server, uri))),
  ];
}
