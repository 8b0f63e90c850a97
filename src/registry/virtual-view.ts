import type { OfferKind, PromptTarget, ToolTarget } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import { globMatches } from '../lib/glob.ts';
import type { JsonObject } from '../lib/json.ts';
import { presentedDefinition, undeclared } from './presented.ts';
import type { ResourceOffer } from './resource-shelf.ts';
import { isExcluded, namesByOriginal, originalOf, selects } from './selection.ts';
import { partNames } from './view-names.ts';
import { type ViewSource, viewOf } from './view-parts.ts';
import type { Override, VirtualServer } from './virtual-settings.ts';

/** Something about a virtual server that a person should know, found once its servers were asked. */
export interface ViewFinding {
  /** `file:line:column`. */
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

/** A virtual server as it can be served, and what of its file does not hold. */
export interface BuiltView {
  readonly view: View;
  readonly findings: readonly ViewFinding[];
}

/** Builds the view of one virtual server. `before` is the one that it replaces: what stays the same is the same object. */
export function virtualView(source: ViewSource, server: VirtualServer, before: View | undefined): BuiltView {
  const { settings } = server;
  const name: ViewName = `virtual:${settings.name}`;
  const findings: ViewFinding[] = [];
  const context = { server, name, findings, before };
  const tools = placed(source.targets, 'tools', context);
  const prompts = placed(source.prompts, 'prompts', context);
  return {
    view: viewOf({
      tools,
      prompts,
      resources: source.resourceOffers.map((offer) => partOf(offer, settings.resources, name)),
      isComplete: Array.from(source.servers, ([each, status]) => status === 'listed' || !speaksOf(server, each)).every(
        Boolean,
      ),
    }),
    findings,
  };
}

interface Context {
  readonly server: VirtualServer;
  readonly name: ViewName;
  readonly findings: ViewFinding[];
  readonly before: View | undefined;
}

const KIND_OF = { tools: 'tool', prompts: 'prompt' } as const satisfies Record<string, OfferKind>;

/** The tools or prompts of a virtual server under the names that they bear there. */
function placed<Target extends ToolTarget | PromptTarget>(
  targets: readonly Target[],
  kind: 'tools' | 'prompts',
  { server, name: view, findings, before }: Context,
): readonly Target[] {
  const selection = server.settings[kind];
  const names = namesByOriginal(selection);
  const selected = targets.flatMap((target) => {
    const own = target.kind === 'tool' ? target.tool : target.prompt;
    const original = originalOf(target.server, own);
    const chosen = names.get(original);
    if (chosen === undefined && !selects(selection, original)) return [];
    return { target, original, name: chosen ?? own, isChosen: chosen !== undefined };
  });
  const { shown, crowded } = partNames(selected);
  for (const { thing, other } of crowded) {
    const isSame = thing.name === other.name;
    findings.push({
      at: server.at([kind]),
      message: isSame
        ? `\`${thing.original}\` is not shown: \`${other.original}\` is called \`${other.name}\` too`
        : `\`${thing.original}\` is not shown: its name looks like \`${other.name}\` of \`${other.original}\``,
      hint: 'give one of them another name under `rename`, or exclude it',
    });
  }
  return shown.flatMap(({ target, original, name }) => {
    const override = selection.override.get(original);
    const known = before?.resolve(name, KIND_OF[kind]);
    const shownTarget = presentedTarget(target, { name, view, override, known: presentedBefore(known) });
    if (typeof shownTarget !== 'string') return shownTarget;
    findings.push({
      at: server.keyAt([kind, 'override', original, 'fixed', shownTarget]),
      message: `\`${original}\` is not shown: its schema has no argument \`${shownTarget}\` to be fixed`,
      hint: 'write the name as `properties` of its `inputSchema` has it, or leave it away',
    });
    return [];
  });
}

function presentedBefore(target: ReturnType<View['resolve']>): JsonObject | undefined {
  return target?.kind === 'tool' || target?.kind === 'prompt' ? target.presented : undefined;
}

/** A target as a view shows it, or the fixed argument that it does not have. */
function presentedTarget<Target extends ToolTarget | PromptTarget>(
  target: Target,
  shown: {
    readonly name: string;
    readonly view: ViewName;
    readonly override: Override | undefined;
    readonly known: JsonObject | undefined;
  },
): Target | string {
  const { name, view, override, known } = shown;
  const { fixed } = override ?? {};
  // A misspelt one would hold nothing fast: what it was to keep from agents would be theirs to choose.
  const [missing] = fixed === undefined ? [] : undeclared(target.inputSchema, Object.keys(fixed));
  if (missing !== undefined) return missing;
  const definition = (target.kind === 'tool' ? target.shown : undefined) ?? target.definition;
  const made = presentedDefinition(definition, { name, override });
  const presented = made !== undefined && JSON.stringify(made) === JSON.stringify(known) ? known : made;
  return {
    ...target,
    view,
    exposedName: name,
    ...(presented === undefined ? {} : { presented }),
    ...(fixed === undefined || Object.keys(fixed).length === 0 ? {} : { fixed }),
  };
}

/** What a virtual server shows of the resources of one server. */
function partOf(
  { server, byUri, templates }: ResourceOffer,
  selection: VirtualServer['settings']['resources'],
  view: ViewName,
): ResourceOffer {
  const isShown = (uri: string): boolean => selects(selection, originalOf(server, uri));
  const admits = (uri: string): boolean => !isExcluded(selection, originalOf(server, uri));
  return {
    server,
    byUri: new Map(Array.from(byUri).flatMap(([uri, target]) => (isShown(uri) ? [[uri, { ...target, view }]] : []))),
    templates: templates.flatMap(({ target, template }) => {
      if (!isShown(target.uriTemplate)) return [];
      const matches = (uri: string): boolean => template.matches(uri) && admits(uri);
      return [{ template: { ...template, matches }, target: { ...target, view, admits } }];
    }),
  };
}

/** True when a virtual server may show something of a server. */
function speaksOf({ settings: { tools, prompts, resources } }: VirtualServer, server: string): boolean {
  const patterns = [
    ...[tools, prompts, resources].flatMap(({ include }) => include),
    ...[tools, prompts].flatMap(({ rename }) => [...rename.values()]),
  ];
  return patterns.some((pattern) => globMatches(pattern.slice(0, pattern.indexOf('/')), server));
}
