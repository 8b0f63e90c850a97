import { withoutParamHeaders } from '../../domain/mcp/param-headers.ts';
import type { FeatureKind, FeatureTarget, PromptTarget, TemplateTarget, ToolTarget } from '../../domain/target.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';
import { declaredName, PINNED_KINDS } from '../pins/pinned-kind.ts';
import { exposedName } from '../servers/exposed-name.ts';
import type { ServerSettings, ToolSettings } from '../servers/settings.ts';
import type { ToolState } from './tool-status.ts';

/** The targets as they were before. */
interface PreviousCatalog {
  readonly templates: readonly TemplateTarget[];
  readonly resolve: (exposedName: string, kind?: FeatureKind) => FeatureTarget | undefined;
}

/** What an active definition is to calls; undefined for one that is not active. */
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
  // Equal definitions are the same object over time: what is compiled for a schema is found by the schema itself.
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

/** What the operator says of a thing. */
export function targetSettings(
  server: ServerSettings,
  settings: ToolSettings = server.unlisted,
): Pick<
  ToolTarget,
  'server' | 'risk' | 'labels' | 'costNanoUsd' | 'timeoutMs' | 'maxResultBytes' | 'payloads' | 'payloadMaxBytes'
> {
  return {
    server: server.name,
    // The operator's word alone: `readOnlyHint` and its like are the upstream speaking of itself.
    risk: settings.risk,
    labels: settings.labels,
    costNanoUsd: settings.costNanoUsd,
    timeoutMs: settings.timeoutMs,
    maxResultBytes: settings.maxResultBytes,
    payloads: server.payloads,
    payloadMaxBytes: server.payloadMaxBytes,
  };
}

/** A template is shown otherwise where two servers have it, so that its exposed name does not find it. */
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
  const contractBefore = before?.kind === 'tool' ? before.outputSchema : undefined;
  const contract = sameJson(contractBefore, settings.output) ? contractBefore : settings.output;
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

/** The definition without the marks that would put a secret argument into a header, where there are such marks. */
function advertisedDefinition(
  definition: JsonObject,
  secretArguments: readonly string[],
  before: JsonObject | undefined,
): { readonly advertised?: JsonObject } {
  if (!isJsonObject(definition.inputSchema)) return {};
  const inputSchema = withoutParamHeaders(definition.inputSchema, secretArguments);
  if (inputSchema === undefined) return {};
  const shown = { ...definition, inputSchema };
  return { advertised: before !== undefined && sameJson(before, shown) ? before : shown };
}

const promptSchemas = new WeakMap<JsonObject, JsonObject>();

/** MCP, prompts/get: arguments are texts by name. One that the prompt does not declare is let through, as servers do. */
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
