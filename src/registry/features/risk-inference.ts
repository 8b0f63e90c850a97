import type { Risk } from '../../domain/target.ts';
import { isJsonObject, type JsonObject } from '../../lib/json/json.ts';

/** A proposed risk, which a person reviews before it is written, and its reason. */
export interface RiskInference {
  readonly risk: Risk;
  /** Reason in one clause without full stop. */
  readonly why: string;
}

/**
 * Proposes the risk of a tool from its name and its annotations: the higher of the two. Annotations alone never lower the
 * risk, because the server writes them about itself: a tool whose name has no known verb is `destructive`, unless a word
 * of its name agrees with them. A tool that reads secrets or the environment is `destructive`: a leak cannot be undone.
 */
export function inferRisk(definition: JsonObject): RiskInference {
  const name = typeof definition.name === 'string' ? definition.name : '';
  const annotated = riskFromAnnotations(definition);
  const words = splitWords(name);
  const named = riskFromName(words, annotated);
  if (named === undefined) return { risk: 'destructive', why: 'its name and annotations do not show a lower risk' };
  const proposal = annotated !== undefined && SEVERITY[annotated.risk] > SEVERITY[named.risk] ? annotated : named;
  const secret = proposal.risk === 'read' ? words.find((word) => SECRET_WORDS.has(word)) : undefined;
  return secret === undefined
    ? proposal
    : { risk: 'destructive', why: `\`${secret}\` is in its name, and it may reveal secrets` };
}

const SEVERITY: Readonly<Record<Risk, number>> = { read: 0, write: 1, destructive: 2 };

/** MCP 2025-11-25, `ToolAnnotations`: `destructiveHint` defaults to true when `readOnlyHint` is false. */
function riskFromAnnotations(definition: JsonObject): RiskInference | undefined {
  if (!isJsonObject(definition.annotations)) return undefined;
  const { readOnlyHint, destructiveHint } = definition.annotations;
  if (readOnlyHint === true)
    return destructiveHint === true
      ? { risk: 'destructive', why: 'its annotations contradict each other' }
      : { risk: 'read', why: 'annotated `readOnlyHint`' };
  if (destructiveHint === true) return { risk: 'destructive', why: 'annotated `destructiveHint`' };
  if (readOnlyHint !== false) return undefined;
  return destructiveHint === false
    ? { risk: 'write', why: 'annotated as neither read-only nor destructive' }
    : { risk: 'destructive', why: 'annotated as not read-only, without `destructiveHint: false`' };
}

function riskFromName(words: readonly string[], annotated: RiskInference | undefined): RiskInference | undefined {
  const destructive = words.find((word) => DESTRUCTIVE_WORDS.has(word));
  if (destructive !== undefined) return { risk: 'destructive', why: `\`${destructive}\` is in its name` };
  const writes = words.find((word) => WRITE_WORDS.has(word));
  const first = words[0] ?? '';
  if (writes !== undefined) {
    const hasWord =
      WRITE_WORDS.has(first) || READ_WORDS.has(first) || (annotated !== undefined && annotated.risk !== 'destructive');
    return hasWord ? { risk: 'write', why: `\`${writes}\` is in its name` } : undefined;
  }
  if (READ_WORDS.has(first)) return { risk: 'read', why: `its name begins with \`${first}\`` };
  // A read verb that is not the first word, or a noun of readable things, counts only when the annotation agrees.
  const reads = words.find((word) => READ_WORDS.has(word) || READ_NOUNS.has(word));
  return reads !== undefined && annotated?.risk === 'read'
    ? { risk: 'read', why: `\`${reads}\` is in its name, and it is annotated \`readOnlyHint\`` }
    : undefined;
}

/** Splits `read_file`, `get-sum`, `listIssues` or `HTTPGet` into words in lower case. */
function splitWords(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}

const READ_WORDS = wordSet(
  'read get list search find fetch query view show describe lookup look count check inspect browse open peek resolve retrieve select explain compare diff summarize preview validate',
);
const READ_NOUNS = wordSet('tree info status stats history version help schema echo ping');
const SECRET_WORDS = wordSet(
  'env envs environ environment environments secret secrets credential credentials token tokens password passwords passwd passphrase key keys apikey apikeys',
);
const WRITE_WORDS = wordSet(
  'create write update add edit set put insert append save upload rename copy make patch modify change upsert assign label tag comment reply draft enable toggle subscribe follow star fork mark pin',
);
const DESTRUCTIVE_WORDS = wordSet(
  'delete remove drop destroy purge erase wipe clear reset truncate kill terminate stop shutdown disable revoke exec execute run eval evaluate shell command bash spawn launch send pay transfer refund charge buy purchase order sell trade publish deploy release merge push force move overwrite replace cancel close archive uninstall install format restore rollback revert ban block grant approve',
);
