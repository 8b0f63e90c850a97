import { withoutParamHeaders } from '../../domain/mcp/param-headers.ts';
import type { FeatureKind, FeatureTarget, PromptTarget, TemplateTarget, ToolTarget } from '../../domain/target.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { declaredName, PINNED_KINDS } from '../pins/pinned-kind.ts';
import { exposedName } from '../servers/exposed-name.ts';
import type { ServerSettings, ToolSettings } from '../servers/settings.ts';
import type { ToolState } from './tool-status.ts';

/** The targets of the previous catalog. */
interface PreviousCatalog {
  readonly templates: readonly TemplateTarget[];
  readonly resolve: (exposedName: string, kind?: FeatureKind) => FeatureTarget | undefined;
}

/** Builds the target of an active definition; undefined for one that is not active. */
export function buildTarget(
  server: ServerSettings,
  state: ToolState,
  previous: PreviousCatalog | undefined,
): ToolTarget | PromptTarget | TemplateTarget | undefined {
  const { observed, observedDigest, kind } = state;
  if (state.status !== 'active' || observed === undefined || observedDigest === undefined) return undefined;
  const name = declaredName(PINNED_KINDS[kind], observed);
  const exposed = kind === 'template' ? name : exposedName(server.name, name);
  const previousTarget =
    kind === 'template' ? previousTemplate(previous, server.name, name) : previous?.resolve(exposed, kind);
  // An equal definition stays the same object, because compiled schemas are cached by object.
  const definition = previousTarget?.definitionDigest === observedDigest ? previousTarget.definition : observed;
  const settings = (kind === 'tool' ? server.tools.get(name) : undefined) ?? server.unlisted;
  const common = {
    ...targetSettings(server, settings),
    exposedName: exposed,
    definition,
    definitionDigest: observedDigest,
  };
  switch (kind) {
    case 'tool':
      return {
        ...common,
        kind,
        id: `tool:${server.name}/${name}`,
        tool: name,
        ...toolSchemas(definition, settings, previousTarget),
      };
    case 'prompt':
      return {
        ...common,
        kind,
        id: `prompt:${server.name}/${name}`,
        prompt: name,
        inputSchema: promptSchema(definition),
      };
    case 'template':
      return { ...common, kind, id: `resource:${server.name}/${name}`, uriTemplate: name };
  }
}

/** The settings of a target that the operator controls. */
export function targetSettings(
  server: ServerSettings,
  settings: ToolSettings = server.unlisted,
): Pick<
  ToolTarget,
  'server' | 'risk' | 'labels' | 'costNanoUsd' | 'timeoutMs' | 'maxResultBytes' | 'payloads' | 'payloadMaxBytes'
> {
  return {
    server: server.name,
    // Annotations such as `readOnlyHint` are written by the upstream and never lower the risk.
    risk: settings.risk,
    labels: settings.labels,
    costNanoUsd: settings.costNanoUsd,
    timeoutMs: settings.timeoutMs,
    maxResultBytes: settings.maxResultBytes,
    payloads: server.payloads,
    payloadMaxBytes: server.payloadMaxBytes,
  };
}

/** Finds a template by server: its exposed name is qualified when two servers have it. */
function previousTemplate(
  previous: PreviousCatalog | undefined,
  server: string,
  uriTemplate: string,
): FeatureTarget | undefined {
  return previous?.templates.find((each) => each.server === server && each.uriTemplate === uriTemplate);
}

function toolSchemas(
  definition: JsonObject,
  settings: ToolSettings,
  before: FeatureTarget | undefined,
): Pick<ToolTarget, 'advertised' | 'inputSchema' | 'outputSchema'> {
  const previousSchema = before?.kind === 'tool' ? before.outputSchema : undefined;
  const contract = sameJson(previousSchema, settings.output) ? previousSchema : settings.output;
  const outputSchema = isJsonObject(definition.outputSchema) ? definition.outputSchema : contract;
  return {
    ...advertisedDefinition(
      definition,
      settings.secretArguments,
      before?.kind === 'tool' ? before.advertised : undefined,
    ),
    inputSchema: isJsonObject(definition.inputSchema) ? definition.inputSchema : {},
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
}

/** The definition without `x-mcp-header` marks on secret arguments; empty when it has none. */
function advertisedDefinition(
  definition: JsonObject,
  secretArguments: readonly string[],
  before: JsonObject | undefined,
): { readonly advertised?: JsonObject } {
  if (!isJsonObject(definition.inputSchema)) return {};
  const inputSchema = withoutParamHeaders(definition.inputSchema, secretArguments);
  if (inputSchema === undefined) return {};
  const advertised = { ...definition, inputSchema };
  return { advertised: before !== undefined && sameJson(before, advertised) ? before : advertised };
}

const promptSchemas = new WeakMap<JsonObject, JsonObject>();

/** MCP, prompts/get: arguments are strings by name. Undeclared arguments are accepted, as servers do. */
function promptSchema(definition: JsonObject): JsonObject {
  let schema = promptSchemas.get(definition);
  if (schema === undefined) {
    const declared = Array.isArray(definition.arguments) ? definition.arguments : [];
    const required = declared.flatMap((argument) =>
      isJsonObject(argument) && argument.required === true && typeof argument.name === 'string' ? [argument.name] : [],
    );
    schema = Object.freeze({
      type: 'object',
      additionalProperties: { type: 'string' },
      required: [...new Set(required)],
    });
    promptSchemas.set(definition, schema);
  }
  return schema;
}

function sameJson(a: JsonObject | undefined, b: JsonObject | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
