import { parseParamHeaders } from '../../domain/mcp/param-headers.ts';
import type { Digest } from '../../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { definitionDigest } from '../pins/definition.ts';
import type { Pin } from '../pins/pin.ts';
import {
  declaredName,
  PINNED_KINDS,
  type PinnedKind,
  type PinnedKindRules,
  pinKey,
  pinnedId,
} from '../pins/pinned-kind.ts';
import { ConfusableNames } from '../servers/exposed-name.ts';
import type { ServerSettings } from '../servers/settings.ts';

/** Decides whether the schemas of a tool can be checked. `contract` is the operator's schema for results. */
export type AdmitSchema = (
  definition: JsonObject,
  contract?: JsonObject,
) => { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

/**
 * Status of one definition. Only `active` ones can be used.
 * - `drifted`: it differs from its pin
 * - `unpinned`: it has no pin, and the server has `pin: lock`
 * - `pin-corrupt`: its pin does not match its own digest
 * - `quarantined`: its name, definition or schemas are not admitted
 * - `missing`: it is pinned, and the server no longer declares it
 */
export type ToolStatus = 'active' | 'drifted' | 'unpinned' | 'pin-corrupt' | 'quarantined' | 'missing';

/** One tool, prompt or resource template of one server, with its status. */
export interface ToolState {
  readonly kind: PinnedKind;
  readonly server: string;
  /** Its name on the server; at most 128 characters, with non-ASCII characters escaped. */
  readonly tool: string;
  /** `tool:<server>/<tool>`, `prompt:…` or `resource:…`, with non-ASCII characters escaped. */
  readonly id: string;
  /** Key of its pin, see {@link pinKey}. */
  readonly key: string;
  readonly status: ToolStatus;
  /** Reason why it is not active, in one clause without full stop. */
  readonly reason?: string;
  readonly observed?: JsonObject;
  readonly observedDigest?: Digest;
  readonly agreed?: JsonObject;
  readonly agreedDigest?: Digest;
}

/** Evaluates the definitions of one kind of one server, in the order of its list, followed by pinned ones that are missing. */
export function evaluateTools(
  server: ServerSettings,
  tools: readonly JsonValue[],
  context: {
    /** Default: `tool`. */
    readonly kind?: PinnedKind;
    /** Returns the pin of a name. */
    readonly pinOf: (tool: string) => Pin | undefined;
    readonly pinned: readonly string[];
    readonly admit: AdmitSchema;
  },
): ToolState[] {
  const rules = PINNED_KINDS[context.kind ?? 'tool'];
  const named = tools
    .slice(0, server.maxTools)
    .map((definition) => ({ definition, name: declaredName(rules, definition) }));
  const counts = new Map<string, number>();
  for (const { name } of named) counts.set(name, (counts.get(name) ?? 0) + 1);
  // An invalid name is never shown, so nothing can be confused with it; a pinned name counts even when it is missing.
  const validNames = Array.from(counts.keys()).filter((name) => rules.nameProblem(server.name, name) === undefined);
  const names = new ConfusableNames([...validNames, ...context.pinned]);
  const states = named.map(({ definition, name }) => {
    const pin = context.pinOf(name);
    const base = { ...toolIdentity(server.name, rules, name), ...pinnedDefinition(pin) };
    const invalid =
      (counts.get(name) ?? 0) > 1
        ? `the server lists two ${rules.plural} of this name`
        : rules.nameProblem(server.name, name);
    if (invalid !== undefined || !isJsonObject(definition)) {
      return quarantine(base, invalid ?? 'its definition is not an object');
    }
    return evaluateTool(
      { ...base, observed: definition },
      { server, name, rules, pin, confusableNames: names, admit: context.admit },
    );
  });
  const missing = context.pinned.filter((name) => !counts.has(name));
  return [
    ...states,
    ...missing.map((name) => missingToolState(server.name, rules, { name, pin: context.pinOf(name) })),
  ];
}

function toolIdentity(
  server: string,
  { kind }: PinnedKindRules,
  name: string,
): Pick<ToolState, 'kind' | 'server' | 'tool' | 'id' | 'key'> {
  const tool = escapeName(name);
  return { kind, server, tool, id: pinnedId(server, { kind, name: tool }), key: pinKey(kind, name) };
}

interface EvaluationContext {
  readonly server: ServerSettings;
  readonly name: string;
  readonly rules: PinnedKindRules;
  readonly pin: Pin | undefined;
  readonly confusableNames: ConfusableNames;
  readonly admit: AdmitSchema;
}

type Discovered = Omit<ToolState, 'status' | 'reason'> & { readonly observed: JsonObject };

function evaluateTool(
  base: Discovered,
  { server, name, rules, pin, confusableNames, admit }: EvaluationContext,
): ToolState {
  const computed = definitionDigest(base.observed);
  if (!('digest' in computed)) return quarantine(base, computed.rejectionReason);
  const digested = { ...base, observedDigest: computed.digest };
  if (pin?.kind === 'corrupt') {
    return { ...digested, status: 'pin-corrupt', reason: 'its pin does not match its own digest' };
  }
  if (pin !== undefined && pin.digest !== computed.digest) {
    return { ...digested, status: 'drifted', reason: 'its definition differs from its pin' };
  }
  // Of two names that look alike, the pinned one stays; without a pin, both are quarantined.
  const confusable = pin === undefined ? confusableNames.confusableWith(name)[0] : undefined;
  if (confusable !== undefined) return quarantine(digested, `its name looks like \`${escapeName(confusable)}\``);
  const invalidShape = shapeProblem(base.observed, rules);
  if (invalidShape !== undefined) return quarantine(digested, invalidShape);
  if (base.kind === 'tool') {
    const admission = admit(base.observed, server.tools.get(name)?.output);
    if (!admission.admitted) return quarantine(digested, admission.reason);
    const marks = parseParamHeaders(isJsonObject(base.observed.inputSchema) ? base.observed.inputSchema : {});
    if ('invalid' in marks) return quarantine(digested, marks.invalid);
  }
  if (pin === undefined && server.pin === 'lock') {
    return { ...digested, status: 'unpinned', reason: 'it is not in `registry.lock`' };
  }
  return { ...digested, status: 'active' };
}

function quarantine(base: Omit<ToolState, 'status'>, reason: string): ToolState {
  return { ...base, status: 'quarantined', reason };
}

function pinnedDefinition(pin: Pin | undefined): Pick<ToolState, 'agreed' | 'agreedDigest'> {
  return pin?.kind === 'agreed' ? { agreed: pin.definition, agreedDigest: pin.digest } : {};
}

function missingToolState(
  server: string,
  rules: PinnedKindRules,
  { name, pin }: { readonly name: string; readonly pin: Pin | undefined },
): ToolState {
  const reason = 'it is pinned, but the server does not declare it';
  return { ...toolIdentity(server, rules, name), status: 'missing', reason, ...pinnedDefinition(pin) };
}

/** The deviation of a definition from the schema of the MCP specification; undefined when it conforms. */
function shapeProblem(definition: JsonObject, rules: PinnedKindRules): string | undefined {
  const known = shapeProblems.get(definition);
  if (known !== undefined) return known.problem;
  const problem = rules.shapeProblem(definition);
  shapeProblems.set(definition, { problem });
  return problem;
}

/** Results by definition: the catalog is rebuilt far more often than a server declares something new. */
const shapeProblems = new WeakMap<JsonObject, { readonly problem: string | undefined }>();

function escapeName(name: string): string {
  const escaped = name.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
  return escaped.length > 128 ? `${escaped.slice(0, 127)}…` : escaped;
}
