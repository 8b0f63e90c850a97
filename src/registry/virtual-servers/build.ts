import type { FeatureKind, PromptTarget, ToolTarget, ViewName } from '../../domain/target.ts';
import type { View } from '../../domain/view.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { globMatches } from '../../lib/text/glob.ts';
import type { ServerResourceIndex } from '../features/resource-index.ts';
import { buildView, type ViewSource } from '../features/view.ts';
import { ConfusableNames } from '../servers/exposed-name.ts';
import { overrideDefinition, undeclaredArguments } from './override-definition.ts';
import { isExcluded, isIncluded, type Override, renamesBySource, sourceName, type VirtualServer } from './settings.ts';

/** A feature selected for a view, with its name there. */
export interface NamedFeature {
  readonly name: string;
  readonly source: string;
  /** True when the name comes from `rename`. */
  readonly isChosen: boolean;
}

/** A feature that is not shown, because another has the same name or one that looks like it. */
export interface NameConflict<Feature extends NamedFeature> {
  readonly feature: Feature;
  readonly other: NamedFeature;
}

/**
 * Splits features with unique names from conflicts. Of names that are equal or look alike, only one from `rename` is
 * shown: a server cannot take over a name by what it calls its tools.
 */
export function splitConflicts<Feature extends NamedFeature>(
  features: readonly Feature[],
): { readonly unique: readonly Feature[]; readonly conflicts: readonly NameConflict<Feature>[] } {
  const byName = new Map<string, Feature[]>();
  for (const feature of features) byName.set(feature.name, [...(byName.get(feature.name) ?? []), feature]);
  const confusable = new ConfusableNames(byName.keys());
  const unique: Feature[] = [];
  const conflicts: NameConflict<Feature>[] = [];
  for (const feature of features) {
    const rivals = [feature.name, ...confusable.confusableWith(feature.name)]
      .flatMap((name) => byName.get(name) ?? [])
      .filter((rival) => rival !== feature);
    const [other] = rivals;
    // Chosen names never look alike: such a file does not load.
    if (other === undefined || feature.isChosen) unique.push(feature);
    else conflicts.push({ feature, other });
  }
  return { unique, conflicts };
}

/** A warning about a virtual server, found when its servers were discovered. */
export interface ViewWarning {
  /** `file:line:column`. */
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

/** The view of a virtual server, and warnings about its file. */
export interface BuiltView {
  readonly view: View;
  readonly findings: readonly ViewWarning[];
}

/** Builds the view of one virtual server. `before` is the view it replaces: equal definitions stay the same object. */
export function buildVirtualView(source: ViewSource, server: VirtualServer, before: View | undefined): BuiltView {
  const { settings } = server;
  const name: ViewName = `virtual:${settings.name}`;
  const findings: ViewWarning[] = [];
  const context = { server, name, findings, before };
  const tools = selectFeatures(source.targets, 'tools', context);
  const prompts = selectFeatures(source.prompts, 'prompts', context);
  return {
    view: buildView({
      tools,
      prompts,
      resources: source.resourceLists.map((list) => selectResources(list, settings.resources, name)),
      isComplete: Array.from(
        source.servers,
        ([each, status]) => status === 'listed' || !mentionsServer(server, each),
      ).every(Boolean),
    }),
    findings,
  };
}

interface Context {
  readonly server: VirtualServer;
  readonly name: ViewName;
  readonly findings: ViewWarning[];
  readonly before: View | undefined;
}

const KIND_OF = { tools: 'tool', prompts: 'prompt' } as const satisfies Record<string, FeatureKind>;

/** The tools or prompts of a virtual server under their names there. */
function selectFeatures<Target extends ToolTarget | PromptTarget>(
  targets: readonly Target[],
  kind: 'tools' | 'prompts',
  { server, name: view, findings, before }: Context,
): readonly Target[] {
  const selection = server.settings[kind];
  const names = renamesBySource(selection);
  const selected = targets.flatMap((target) => {
    const sourceMember = target.kind === 'tool' ? target.tool : target.prompt;
    const source = sourceName(target.server, sourceMember);
    const chosen = names.get(source);
    if (chosen === undefined && !isIncluded(selection, source)) return [];
    return { target, source, name: chosen ?? sourceMember, isChosen: chosen !== undefined };
  });
  const { unique, conflicts } = splitConflicts(selected);
  for (const { feature, other } of conflicts) {
    const isSame = feature.name === other.name;
    findings.push({
      at: server.at([kind]),
      message: isSame
        ? `\`${feature.source}\` is not shown: \`${other.source}\` has the same name, \`${other.name}\``
        : `\`${feature.source}\` is not shown: its name looks like \`${other.name}\` of \`${other.source}\``,
      hint: 'give one of them another name under `rename`, or exclude it',
    });
  }
  return unique.flatMap(({ target, source, name }) => {
    const override = selection.override.get(source);
    const previous = before?.resolve(name, KIND_OF[kind]);
    const overridden = overrideTarget(target, { name, view, override, previous: previousOverride(previous) });
    if (typeof overridden !== 'string') return overridden;
    findings.push({
      at: server.keyAt([kind, 'override', source, 'fixed', overridden]),
      message: `\`${source}\` is not shown: its schema has no argument \`${overridden}\` that could be fixed`,
      hint: 'use a name from `properties` of its `inputSchema`, or remove the argument',
    });
    return [];
  });
}

function previousOverride(target: ReturnType<View['resolve']>): JsonObject | undefined {
  return target?.kind === 'tool' || target?.kind === 'prompt' ? target.override : undefined;
}

/** A target with the overrides of a view, or the name of a fixed argument that it does not have. */
function overrideTarget<Target extends ToolTarget | PromptTarget>(
  target: Target,
  options: {
    readonly name: string;
    readonly view: ViewName;
    readonly override: Override | undefined;
    readonly previous: JsonObject | undefined;
  },
): Target | string {
  const { name, view, override, previous } = options;
  const { fixed } = override ?? {};
  // A misspelled fixed argument would fix nothing, and agents could choose the value it should hide.
  const [missing] = fixed === undefined ? [] : undeclaredArguments(target.inputSchema, Object.keys(fixed));
  if (missing !== undefined) return missing;
  const definition = (target.kind === 'tool' ? target.advertised : undefined) ?? target.definition;
  const overridden = overrideDefinition(definition, { name, override });
  const definitionInView =
    overridden !== undefined && JSON.stringify(overridden) === JSON.stringify(previous) ? previous : overridden;
  return {
    ...target,
    view,
    exposedName: name,
    ...(definitionInView === undefined ? {} : { override: definitionInView }),
    ...(fixed === undefined || Object.keys(fixed).length === 0 ? {} : { fixedArguments: fixed }),
  };
}

/** The resources of one server that a virtual server shows. */
function selectResources(
  { server, byUri, templates }: ServerResourceIndex,
  selection: VirtualServer['settings']['resources'],
  view: ViewName,
): ServerResourceIndex {
  const isSelected = (uri: string): boolean => isIncluded(selection, sourceName(server, uri));
  const accepts = (uri: string): boolean => !isExcluded(selection, sourceName(server, uri));
  return {
    server,
    byUri: new Map(Array.from(byUri).flatMap(([uri, target]) => (isSelected(uri) ? [[uri, { ...target, view }]] : []))),
    templates: templates.flatMap(({ target, template }) => {
      if (!isSelected(target.uriTemplate)) return [];
      const matches = (uri: string): boolean => template.matches(uri) && accepts(uri);
      return [{ template: { ...template, matches }, target: { ...target, view, accepts } }];
    }),
  };
}

/** True when a virtual server may show something of a server. */
function mentionsServer({ settings: { tools, prompts, resources } }: VirtualServer, server: string): boolean {
  const patterns = [
    ...[tools, prompts, resources].flatMap(({ include }) => include),
    ...[tools, prompts].flatMap(({ rename }) => [...rename.values()]),
  ];
  return patterns.some((pattern) => globMatches(pattern.slice(0, pattern.indexOf('/')), server));
}
