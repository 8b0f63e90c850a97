import type { YamlPath } from '../../config/yaml-file.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { ToolState } from '../features/tool-status.ts';
import type { ViewSource } from '../features/view.ts';
import type { ViewWarning } from './build.ts';
import type { VirtualServer } from './settings.ts';
import { sourceName } from './settings.ts';

/** The features of all discovered servers. */
export interface KnownFeatures extends Pick<ViewSource, 'resourceLists' | 'servers'> {
  readonly states: readonly ToolState[];
}

/** The kinds that a virtual server can name one by one. */
export const NAMED_KINDS = ['tools', 'prompts'] as const;
export const KINDS = { tools: 'tool', prompts: 'prompt' } as const;

/** Finds names and globs of a virtual server that match no usable feature. Ignores servers that are not listed. */
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

/** The sources that a virtual server names without a glob, with their locations. */
export function namedReferences(
  { settings, at, keyAt }: VirtualServer,
  kind: (typeof NAMED_KINDS)[number],
): readonly (readonly [source: string, at: string])[] {
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
    return [{ at: location, message, hint: 'run `seneschal registry diff` to see the difference' }];
  }
  const server = source.slice(0, source.indexOf('/'));
  // Unregistered servers are reported when the file is loaded.
  if (known.servers.get(server) !== 'listed') return [];
  const others = states.filter((each) => each.server === server && each.status === 'active');
  const near = didYouMean(
    source,
    others.map(({ tool }) => sourceName(server, tool)),
  );
  const hint = near === undefined ? LIST_HINT : `did you mean \`${near}\`?`;
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
  return [{ at, message: `\`${glob}\` matches nothing`, hint: LIST_HINT }];
}

const LIST_HINT = 'run `seneschal registry list` to see the features of each server';

function sourcesOf(kind: 'tools' | 'prompts' | 'resources', { states, resourceLists }: KnownFeatures): string[] {
  const wanted = kind === 'resources' ? 'template' : KINDS[kind];
  const declared = states.flatMap((state) => (state.kind === wanted ? [sourceName(state.server, state.tool)] : []));
  if (kind !== 'resources') return declared;
  return [
    ...declared,
    ...resourceLists.flatMap(({ server, byUri }) => Array.from(byUri.keys(), (uri) => sourceName(server, uri))),
  ];
}
