import type { YamlPath } from '../../config/yaml-file.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { ToolState } from '../features/tool-status.ts';
import type { ViewSource } from '../features/view.ts';
import type { ViewWarning } from './build.ts';
import type { VirtualServer } from './settings.ts';
import { sourceName } from './settings.ts';

/** What servers offer, as far as it is known. */
export interface KnownFeatures extends Pick<ViewSource, 'resourceLists' | 'servers'> {
  readonly states: readonly ToolState[];
}

/** The kinds of which a virtual server may name one by one. */
export const NAMED_KINDS = ['tools', 'prompts'] as const;
export const KINDS = { tools: 'tool', prompts: 'prompt' } as const;

/** What a virtual server names that is not there, or cannot be used. Of a server that was not listed nothing is said. */
export function findUnknownReferences(server: VirtualServer, known: KnownFeatures): ViewWarning[] {
  const { settings, at } = server;
  return [
    ...NAMED_KINDS.flatMap((kind) =>
      namedReferences(server, kind).flatMap(([source, location]) =>
        missingReference(source, { kind, location, known }),
      ),
    ),
    ...(['tools', 'prompts', 'resources'] as const).flatMap((kind) =>
      settings[kind].include.flatMap((glob, index) =>
        unusedGlob(glob, { kind, at: at([kind, 'include', index] as YamlPath), known }),
      ),
    ),
  ];
}

/** Every original that a virtual server names without a glob, with its place. */
export function namedReferences(
  { settings, at, keyAt }: VirtualServer,
  kind: (typeof NAMED_KINDS)[number],
): readonly (readonly [original: string, at: string])[] {
  const { rename, override } = settings[kind];
  return [
    ...Array.from(rename, ([name, source]) => [source, at([kind, 'rename', name])] as const),
    ...Array.from(override.keys(), (source) => [source, keyAt([kind, 'override', source])] as const),
  ];
}

function missingReference(
  source: string,
  {
    kind,
    location,
    known,
  }: { readonly kind: 'tools' | 'prompts'; readonly location: string; readonly known: KnownFeatures },
): ViewWarning[] {
  const noun = KINDS[kind];
  const states = known.states.filter((state) => state.kind === noun);
  const state = states.find(({ server, tool }) => sourceName(server, tool) === source);
  if (state?.status === 'active') return [];
  if (state !== undefined && state.status !== 'missing') {
    const message = `\`${source}\` is not shown: it is ${state.status}`;
    return [{ at: location, message, hint: 'look at it with `seneschal registry diff`' }];
  }
  const server = source.slice(0, source.indexOf('/'));
  // Whether it is registered was asked when the file was read.
  if (known.servers.get(server) !== 'listed') return [];
  const others = states.filter((each) => each.server === server && each.status === 'active');
  const near = didYouMean(
    source,
    others.map(({ tool }) => sourceName(server, tool)),
  );
  const hint = near === undefined ? '`seneschal registry list` shows what there is' : `did you mean \`${near}\`?`;
  return [{ at: location, message: `\`${server}\` has no ${noun} \`${source.slice(server.length + 1)}\``, hint }];
}

function unusedGlob(
  glob: string,
  {
    kind,
    at,
    known,
  }: { readonly kind: 'tools' | 'prompts' | 'resources'; readonly at: string; readonly known: KnownFeatures },
): ViewWarning[] {
  const pattern = glob.slice(0, glob.indexOf('/'));
  const servers = [...known.servers].filter(([name]) => globMatches(pattern, name));
  if (servers.length === 0 || servers.some(([, status]) => status !== 'listed')) return [];
  if (sourcesOf(kind, known).some((source) => globMatches(glob, source))) return [];
  return [{ at, message: `\`${glob}\` matches nothing`, hint: '`seneschal registry list` shows what there is' }];
}

function sourcesOf(kind: 'tools' | 'prompts' | 'resources', { states, resourceLists }: KnownFeatures): string[] {
  const wanted = kind === 'resources' ? 'template' : KINDS[kind];
  const declared = states.flatMap((state) => (state.kind === wanted ? [sourceName(state.server, state.tool)] : []));
  if (kind !== 'resources') return declared;
  return [
    ...declared,
    ...resourceLists.flatMap(({ server, byUri }) => Array.from(byUri.keys(), (uri) => sourceName(server, uri))),
  ];
}
