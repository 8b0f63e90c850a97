import type { JsonObject, JsonValue } from '../../../src/lib/json/json.ts';

/** One question to the client: a method that a server may ask, with its parameters. */
export interface Question {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: JsonObject;
}

/** What the client answered, by the key of its question. */
export type Answers = Readonly<Record<string, JsonObject>>;

/** Context in which one request is answered; each era has its own. */
export interface Exchange {
  /** What the client declared that it can be asked. */
  readonly capabilities: JsonObject;
  /** Tells how far it is, where the client wants to know. */
  progress(progress: number, total: number): void;
  /** Sends a log message at level `info`, where the client wants one. */
  log(data: string): void;
  /**
   * Asks the client everything at once. 2025: real requests, and the answers are awaited. 2026-07-28: the request ends as
   * `input_required`, and what called this runs again from its start when the client repeats the request with answers.
   * `sealed`: hand out a `requestState` even where nothing has to be remembered.
   */
  ask(questions: Readonly<Record<string, Question>>, options?: { readonly sealed?: boolean }): Promise<Answers>;
  /** Ends the stream that the reply would come on; the client fetches the reply later (2025-11-25, SEP-1699). */
  hangUp(): void;
}

/** A JSON-RPC error. `status` is that of HTTP. Default: 200. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: JsonObject | undefined;
  readonly status: number;

  constructor(code: number, message: string, { data, status = 200 }: { data?: JsonObject; status?: number } = {}) {
    super(message);
    this.code = code;
    this.data = data;
    this.status = status;
  }

  get body(): JsonObject {
    const { code, message, data } = this;
    return data === undefined ? { code, message } : { code, message, data };
  }
}

/** 2026-07-28 alone has this code. */
export const MISSING_CAPABILITY = -32021;

const CAPABILITIES = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
} as const;

/** The capability that a client must have declared to be asked that. */
export function capabilityFor({ method }: Question): string {
  return CAPABILITIES[method];
}

/** Refuses to ask what the client did not declare (2026-07-28, basic/index, "Error Codes"). */
export function demandCapabilities(capabilities: JsonObject, questions: readonly Question[]): void {
  const missing = questions.map(capabilityFor).filter((name) => capabilities[name] === undefined);
  if (missing.length === 0) return;
  const data = { requiredCapabilities: Object.fromEntries(missing.map((name) => [name, {}])) };
  throw new RpcError(MISSING_CAPABILITY, `the client did not declare ${missing.join(', ')}`, { data, status: 400 });
}

/** A member as text: texts as they are, all else as JSON. */
export function asText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
