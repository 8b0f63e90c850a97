import { setTimeout as pause } from 'node:timers/promises';
import type { AgentLink } from '../domain/agent-link.ts';
import type { DispatchResult, JsonRpcErrorBody } from '../domain/outcome.ts';
import {
  type AskAgent,
  isQuestion,
  type QuestionAnswer,
  type ServerQuestion,
  type UrlCompletion,
} from '../domain/question.ts';
import { Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import type { Clock } from '../lib/clock.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import type { QuestionListener } from './call-listener.ts';
import type { Era } from './era.ts';
import { capabilityMissing, failed, notSent } from './failed-call.ts';
import { type InputWanted, inputWanted } from './input-required.ts';
import type { Answer, Channel, ServerAnswer, ServerRequest } from './mcp/channel.ts';
import { OpenedUrls } from './opened-urls.ts';
import { PausableDeadline } from './pausable-deadline.ts';

/** What a tool server may ask while it is at work on one call. */
export interface CallAsking {
  /** Exactly what it is told that the client can answer. */
  readonly capabilities: JsonObject;
  readonly ask: AskAgent;
  /** Milliseconds that an interaction may go on which the user agreed to. */
  readonly expiryMs: number;
  /** Tells the agent what its server says of the URLs that it was asked to open; undefined where its era knows of no such thing. */
  readonly shown?: UrlCompletion | undefined;
  /** Ends the call where it waits for its agent, so that another may have its place. False where it does not wait. */
  giveWay(): boolean;
}

type Respondent = Pick<Channel, 'respond'>;

/** What goes back to a stateless server with the answers to its questions. */
export interface Resumed {
  readonly inputResponses: JsonObject;
  readonly requestState?: JsonValue;
}

/** What came of sending a call once; without an answer nothing of the server's is in it. */
export interface Sent {
  readonly came: DispatchResult;
  readonly answer?: Answer;
  readonly era?: Era;
}

/** How often a server may ask before it has to answer; the SDK's clients give up after as many. */
const MAX_ROUNDS = 8;
/** Questions of one call altogether, for servers that ask while they work. */
const MAX_QUESTIONS = 64;
/** A server that only wants its state back is asked again after a moment, each time a longer one. */
const FIRST_PAUSE_MS = 200;
const METHOD_NOT_FOUND = -32_601;
/** Outside of what JSON-RPC and MCP keep for themselves. */
const REFUSED = -31_000;

/** One call whose server may ask: its questions, its deadline that waits for their answers, and its rounds. */
export class AskedCall {
  readonly deadline: PausableDeadline;
  readonly #asking: CallAsking;
  readonly link: AgentLink;
  readonly urls: OpenedUrls;
  #questions = 0;
  #open = 0;
  /** What takes a question back that waits for its answer, by the id that the server asked under. */
  readonly #withdrawals = new Map<string | number, Cancellation>();
  #whenQuiet: (() => void)[] = [];
  #whenAsked: (() => void) | undefined;
  /** What the client lacks that was asked for. */
  #missing: JsonObject | undefined;

  constructor(parts: {
    readonly asking: CallAsking;
    readonly signal: CancelSignal;
    readonly clock: Clock;
    readonly link: AgentLink;
  }) {
    this.#asking = parts.asking;
    this.link = parts.link;
    this.deadline = new PausableDeadline(parts.signal, parts.clock);
    this.urls = new OpenedUrls(parts.clock, parts.asking);
  }

  /** Hears the questions that the server asks over a channel by requests of its own. */
  questionsOn(channel: Respondent): QuestionListener {
    return {
      capabilities: this.#asking.capabilities,
      onRequest: (id, method, params) => this.take({ id, method, params }, channel),
      onWithdrawn: (id) => this.withdraw(id),
    };
  }

  /** Asks the agent what a server asks, and answers the server. */
  take({ id, method, params }: ServerRequest, channel: Respondent): void {
    if (!isQuestion(method)) {
      channel.respond(id, { error: { code: METHOD_NOT_FOUND, message: 'method not found' } });
      return;
    }
    const withdrawal = new Cancellation();
    this.#withdrawals.set(id, withdrawal);
    void this.#ask({ method, params }, withdrawal.signal).then((answer) => {
      if (this.#withdrawals.get(id) === withdrawal) this.#withdrawals.delete(id);
      // What was taken back is not answered (MCP, "Cancellation").
      if (!withdrawal.signal.aborted) channel.respond(id, serverAnswer(answer));
    });
  }

  /** The server takes a question back. @returns false where none of that id is open. */
  withdraw(id: string | number): boolean {
    const withdrawal = this.#withdrawals.get(id);
    this.#withdrawals.delete(id);
    withdrawal?.abort();
    return withdrawal !== undefined;
  }

  /** Resolves when no question is open. */
  quiet(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  get hasAsked(): boolean {
    return this.#questions > 0;
  }

  /** Resolves when the server asks something, or after `patienceMs`. */
  questioned(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#whenAsked = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sends the call until the server answers in earnest. */
  async run(send: (resumed: Resumed | undefined) => Promise<Sent>): Promise<DispatchResult> {
    let resumed: Resumed | undefined;
    let round = 0;
    for (;;) {
      const { came, answer, era } = await send(resumed);
      if (answer === undefined || era === undefined) return came;
      const wanted = inputWanted(answer, era);
      if (wanted === undefined) return this.#last(came, era);
      if (typeof wanted === 'string') return failed('upstream-protocol', `the server broke the form: ${wanted}`, true);
      const open = era === 'legacy' ? this.#notAgreedTo(wanted) : wanted;
      if (open !== undefined) {
        if (round >= MAX_ROUNDS)
          return failed('too-many-questions', `the server asked more than ${MAX_ROUNDS} times`, false);
        const answers = await this.#askAll(open, round);
        if ('kind' in answers) return answers;
        resumed = answers;
        round += 1;
      }
      const end = era === 'legacy' ? await this.#untilOpened() : undefined;
      if (end !== undefined) return end;
    }
  }

  clear(): void {
    this.deadline.clear();
  }

  /** The URLs that the user did not agree to open yet, each once; undefined where there are none. */
  #notAgreedTo({ questions }: InputWanted): InputWanted | undefined {
    const open = new Map<unknown, ServerQuestion>();
    for (const question of questions) {
      const id = question.params.elicitationId;
      if (!this.urls.hasAccepted(id)) open.set(id ?? question, question);
    }
    return open.size === 0 ? undefined : { questions: [...open.values()] };
  }

  /** Waits until a server that wanted URLs opened may answer otherwise. @returns how the call ends, where it ends here. */
  async #untilOpened(): Promise<DispatchResult | undefined> {
    const { deadline } = this;
    deadline.hold();
    deadline.renew();
    const isWorthWhile = await this.urls.untilNews(deadline.signal);
    deadline.release();
    if (deadline.signal.aborted)
      return notSent('cancelled', 'the call was cancelled while a URL of its server was open');
    if (isWorthWhile) return undefined;
    return failed('question-unfinished', 'the server still waits for what the user agreed to do at its URL', false);
  }

  async #askAll({ questions, requestState }: InputWanted, round: number): Promise<Resumed | DispatchResult> {
    if (questions.length === 0) await pause(FIRST_PAUSE_MS * 2 ** round, undefined, { ref: false });
    const answers = await Promise.all(questions.map((question) => this.#ask(question)));
    const inputResponses: Record<string, JsonObject> = {};
    for (const [index, answer] of answers.entries()) {
      const { key } = questions[index] as ServerQuestion;
      if (answer.kind === 'unanswered') return this.#unanswered(answer);
      // A server of the older era wants a URL opened, and learns by the next try that it was.
      if (key !== undefined) inputResponses[key] = answer.result;
      else if (answer.result.action !== 'accept') return failed('question-refused', 'the user does not agree', false);
    }
    return requestState === undefined ? { inputResponses } : { inputResponses, requestState };
  }

  #unanswered({ message }: Extract<QuestionAnswer, { kind: 'unanswered' }>): DispatchResult {
    if (this.#missing !== undefined && this.#isStateless) return capabilityMissing(this.#missing, false);
    return failed('question-refused', `the server cannot go on without an answer: ${message}`, false);
  }

  #last(came: DispatchResult, era: Era): DispatchResult {
    if (era === 'legacy') {
      // It worked on without the answer, whatever it made of that.
      return this.#missing !== undefined && this.#isStateless ? capabilityMissing(this.#missing, true) : came;
    }
    if (came.kind !== 'failed' || came.reason !== 'capability-missing' || !this.#declares(came.error?.data))
      return came;
    return failed('question-refused', 'policy does not let the server ask what it needs to know', false);
  }

  /** True where the client declared what is missing, so that it was policy that kept it from the server. */
  #declares(data: JsonValue | undefined): boolean {
    const required = isJsonObject(data) && isJsonObject(data.requiredCapabilities) ? data.requiredCapabilities : {};
    return Object.keys(required).every((name) => this.link.capabilities[name] !== undefined);
  }

  /** Stateless agents are told by an error of their own what their client lacks. */
  get #isStateless(): boolean {
    return this.link.ask === undefined;
  }

  async #ask(question: ServerQuestion, withdrawn?: CancelSignal): Promise<QuestionAnswer> {
    this.#questions += 1;
    if (this.#questions > MAX_QUESTIONS) {
      return { kind: 'unanswered', undeclared: false, message: 'the server asked too often' };
    }
    this.#open += 1;
    this.#whenAsked?.();
    this.deadline.hold();
    const url = urlIn(question);
    this.urls.asked(url?.elicitationId);
    const answer = await this.#asking.ask(question, withdrawn);
    if (url !== undefined) {
      const isAgreedTo = answer.kind === 'answered' && answer.result.action === 'accept';
      this.urls[isAgreedTo ? 'accepted' : 'refused'](url.elicitationId);
    }
    this.deadline.release();
    this.#open -= 1;
    if (answer.kind === 'unanswered' && answer.undeclared) this.#missing = { ...this.#missing, ...needed(question) };
    if (this.#open === 0) {
      for (const resolve of this.#whenQuiet.splice(0)) resolve();
    }
    return answer;
  }
}

function serverAnswer(answer: QuestionAnswer): ServerAnswer {
  if (answer.kind === 'answered') return { result: answer.result };
  const error: JsonRpcErrorBody = answer.undeclared
    ? { code: METHOD_NOT_FOUND, message: 'method not found' }
    : { code: REFUSED, message: answer.message };
  return { error };
}

/** What a server of the older era wants opened by a question; the newer one has no ids for it. */
function urlIn({ method, params, key }: ServerQuestion): JsonObject | undefined {
  return method === 'elicitation/create' && params.mode === 'url' && key === undefined ? params : undefined;
}

/** The capability that a client needs to answer a question. */
function needed({ method, params }: ServerQuestion): JsonObject {
  if (method === 'roots/list') return { roots: {} };
  if (method === 'sampling/createMessage') return { sampling: params.tools === undefined ? {} : { tools: {} } };
  return { elicitation: params.mode === 'url' ? { url: {} } : { form: {} } };
}
