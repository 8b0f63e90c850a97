import { parseParamHeaders } from '../../domain/mcp/param-headers.ts';
import type { Digest } from '../../lib/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { definitionDigest } from '../pins/definition-digest.ts';
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

/** What a schema room says of a tool. `contract` is the operator's schema for results. */
export type AdmitSchema = (
  definition: JsonObject,
  contract?: JsonObject,
) => { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

/**
 * How one definition stands. Only `active` ones can be used.
 * - `drifted`: it is not what was agreed
 * - `unpinned`: nobody agreed to it, and the server is pinned by the lock
 * - `pin-corrupt`: what was agreed cannot be trusted
 * - `quarantined`: its name, definition or schemas are not admitted
 * - `missing`: it was agreed to and the server no longer has it
 */
export type ToolStatus = 'active' | 'drifted' | 'unpinned' | 'pin-corrupt' | 'quarantined' | 'missing';

/** One tool, prompt or resource template of one server as it stands. */
export interface ToolState {
  readonly kind: PinnedKind;
  readonly server: string;
  /** As the server calls it; at most 128 characters, what does not print escaped. */
  readonly tool: string;
  /** `tool:<server>/<tool>`, `prompt:…` or `resource:…`, what does not print escaped. */
  readonly id: string;
  /** Under what it is pinned, see `pinKey`. */
  readonly key: string;
  readonly status: ToolStatus;
  /** Why it is not active, in one sentence without full stop. */
  readonly reason?: string;
  readonly observed?: JsonObject;
  readonly observedDigest?: Digest;
  readonly agreed?: JsonObject;
  readonly agreedDigest?: Digest;
}

/** How the definitions of one kind of one server stand, in the order in which it lists them; then what it no longer has. */
export function evaluateTools(
  server: ServerSettings,
  tools: readonly JsonValue[],
  context: {
    /** Default: tools. */
    readonly kind?: PinnedKind;
    /** The pin of a name. */
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
  // What is refused for its letters cannot be mistaken for anything; what was agreed and went away still can.
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
      return quarantine(base, invalid ?? 'its definition is no object');
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
    return { ...digested, status: 'pin-corrupt', reason: 'what was agreed does not match its own digest' };
  }
  if (pin !== undefined && pin.digest !== computed.digest) {
    return { ...digested, status: 'drifted', reason: 'its definition is not the one that was agreed' };
  }
  // Of two that look alike the agreed one stays; of two newcomers neither can be told from the other.
  const confusable = pin === undefined ? confusableNames.confusableWith(name)[0] : undefined;
  if (confusable !== undefined) return quarantine(digested, `its name looks like \`${escapeName(confusable)}\``);
  const unfit = shapeProblem(base.observed, rules);
  if (unfit !== undefined) return quarantine(digested, unfit);
  // Only tools have schemas of their own.
  if (base.kind === 'tool') {
    const admission = admit(base.observed, server.tools.get(name)?.output);
    if (!admission.admitted) return quarantine(digested, admission.reason);
    const marks = parseParamHeaders(isJsonObject(base.observed.inputSchema) ? base.observed.inputSchema : {});
    if ('invalid' in marks) return quarantine(digested, marks.invalid);
  }
  if (pin === undefined && server.pin === 'lock') {
    return { ...digested, status: 'unpinned', reason: '`registry.lock` does not hold it' };
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
  const reason = 'it was agreed to and the server does not have it';
  return { ...toolIdentity(server, rules, name), status: 'missing', reason, ...pinnedDefinition(pin) };
}

/** What keeps a definition from being of MCP, judged by the specification's own schema; undefined when nothing. */
function shapeProblem(definition: JsonObject, rules: PinnedKindRules): string | undefined {
  const known = shapeProblems.get(definition);
  if (known !== undefined) return known.problem;
  const problem = rules.shapeProblem(definition);
  shapeProblems.set(definition, { problem });
  return problem;
}

/** Definitions that were judged: a catalog is built anew far more often than a server lists something new. */
const shapeProblems = new WeakMap<JsonObject, { readonly problem: string | undefined }>();

function escapeName(name: string): string {
  const escaped = name.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
  return escaped.length > 128 ? `${escaped.slice(0, 127)}…` : escaped;
}
