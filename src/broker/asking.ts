import type { AgentLink, AskAnswer } from '../domain/agent-link.ts';
import type { Call } from '../domain/call.ts';
import type { DispatchResult, InputRequired, Outcome } from '../domain/outcome.ts';
import { type AskAgent, QUESTION_ACTIONS, type QuestionAnswer, type ServerQuestion } from '../domain/question.ts';
import { Cancellation, type CancelSignal, eitherSignal } from '../lib/cancellation.ts';
import type { Clock } from '../lib/clock.ts';
import type { Ids } from '../lib/ids.ts';
import { allowedCapabilities, canAnswer } from '../questions/allowed-capabilities.ts';
import { dressedQuestion } from '../questions/dressed-question.ts';
import { ShownUrls } from '../questions/shown-urls.ts';
import type { Reaction, Suspension } from '../questions/suspension.ts';
import type { Suspensions } from '../questions/suspensions.ts';
import type { DispatchOptions } from './broker.ts';
import { LegLink } from './leg-link.ts';
import type { Walk } from './walk.ts';
import type { World } from './world.ts';

/** What asking needs from the hall. */
export interface AskingParts {
  readonly suspensions: Suspensions;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The back door. MUST NOT reject. */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult>;
  /** Walks a question like any call. */
  walk(walk: Walk): Promise<Outcome>;
  /** The world in force: a question is judged by the rules of the moment it is asked. */
  world(): World;
}

/** Brings a question before the agent and its reaction back. */
type Deliver = (question: ServerQuestion, signal: CancelSignal) => Promise<DispatchResult>;

/**
 * Sends calls whose tool server may ask before it answers. A legacy agent is asked by a request on the stream of its call;
 * a stateless one with the end of its request, and the call goes on with the next that brings the answers.
 */
export class Asking {
  readonly #parts: AskingParts;
  readonly #links = new WeakMap<Suspension, LegLink>();

  constructor(parts: AskingParts) {
    this.#parts = parts;
  }

  /** Sends one leg of a call. */
  send(walk: Walk): Promise<DispatchResult | InputRequired> {
    const { call, link, signal } = walk;
    if (call.resumption !== undefined) return this.#goOn(walk);
    if (link === undefined || !canAnswer(link.capabilities) || call.action === 'complete') {
      return this.#parts.dispatch(call, { signal, link });
    }
    return link.ask === undefined ? this.#begin(walk, link) : this.#sendAsked(walk, link);
  }

  async #sendAsked(walk: Walk, link: AgentLink): Promise<DispatchResult> {
    const { call, signal } = walk;
    const timeoutMs = this.#parts.suspensions.expiryMs;
    // What a server asked and did not wait for is asked in vain.
    const over = new Cancellation();
    const onAbort = (): void => over.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const shown = new ShownUrls(link);
    const ask: AskAgent = (question, withdrawn) => {
      const either = eitherSignal(over.signal, withdrawn);
      const deliver: Deliver = async (dressed, signalOfQuestion) => {
        if (link.ask === undefined) return unanswered('the client cannot be asked');
        shown.note(question, dressed);
        const { method, params } = dressed;
        return dispatchResultOf(await link.ask(method, params, { signal: signalOfQuestion, timeoutMs }));
      };
      return this.#question(walk, question, { signal: either, deliver, capabilities: link.capabilities });
    };
    const capabilities = capabilitiesFor(walk, link);
    const asking = { capabilities, ask, expiryMs: timeoutMs, shown, giveWay: () => false };
    const came = await this.#parts.dispatch(call, { signal, link, asking });
    signal.removeEventListener('abort', onAbort);
    over.abort();
    return came;
  }

  #begin(walk: Walk, link: AgentLink): Promise<DispatchResult | InputRequired> {
    const suspension = this.#parts.suspensions.begin(walk.call);
    const { signal } = suspension;
    const relay = new LegLink(link);
    this.#links.set(suspension, relay);
    const ask: AskAgent = (question, withdrawn) =>
      this.#suspend(walk, question, { suspension, withdrawn, capabilities: link.capabilities });
    const { expiryMs } = this.#parts.suspensions;
    const giveWay = (): boolean => suspension.giveWay();
    const asking = { capabilities: capabilitiesFor(walk, link), ask, expiryMs, giveWay };
    const ended = this.#leg(walk, suspension);
    suspension.follow(this.#parts.dispatch(walk.call, { signal, link: relay, asking }));
    return ended;
  }

  #goOn(walk: Walk): Promise<DispatchResult | InputRequired> {
    const suspension = this.#parts.suspensions.take(walk.call.id);
    // INVARIANT: `request-state` let only calls through that claimed what waits.
    if (suspension === undefined) throw new Error('a call goes on with nothing');
    suspension.answer(walk.call.resumption?.responses ?? {});
    return this.#leg(walk, suspension);
  }

  async #leg(walk: Walk, suspension: Suspension): Promise<DispatchResult | InputRequired> {
    const relay = this.#links.get(suspension);
    relay?.follow(walk.link);
    const end = await suspension.leg(walk.signal);
    relay?.follow(undefined);
    if (end.kind === 'ended') return end.came;
    const state = this.#parts.suspensions.suspend(suspension, walk.call);
    return { kind: 'input-required', requests: end.requests, state };
  }

  async #suspend(
    walk: Walk,
    question: ServerQuestion,
    how: {
      readonly suspension: Suspension;
      readonly withdrawn: CancelSignal | undefined;
      readonly capabilities: Call['args'];
    },
  ): Promise<QuestionAnswer> {
    const { suspension, withdrawn, capabilities } = how;
    let isJudged = false;
    const judged = (): void => {
      if (!isJudged) suspension.judged();
      isJudged = true;
    };
    suspension.judging();
    const deliver: Deliver = (dressed, signal) => {
      const reaction = suspension.ask(dressed, signal);
      judged();
      return reaction.then(resultOfReaction);
    };
    try {
      return await this.#question(walk, question, {
        signal: eitherSignal(suspension.signal, withdrawn),
        deliver,
        capabilities,
      });
    } finally {
      judged();
    }
  }

  async #question(
    walk: Walk,
    question: ServerQuestion,
    how: { readonly signal: CancelSignal; readonly deliver: Deliver; readonly capabilities: Call['args'] },
  ): Promise<QuestionAnswer> {
    const { clock, ids } = this.#parts;
    const { principal, context, id, target } = walk.call;
    const world = this.#parts.world();
    const server = 'server' in target ? target.server : '';
    const isStateless = walk.link?.ask === undefined;
    const dressed = dressedQuestion(question, { server, elicitationId: isStateless ? undefined : ids.uuidv7() });
    const call: Call = {
      ...{ id: ids.uuidv7(), principal, subjects: world.subjectsOf(principal), context },
      ...{ action: QUESTION_ACTIONS[question.method], target: world.serverOf(server), args: dressed.params },
      receivedAtMs: clock.wallMs(),
      question: { causedBy: id, capabilities: how.capabilities },
    };
    const outcome = await this.#parts.walk({
      ...{ world, call, startedMs: clock.monotonicMs(), signal: how.signal, link: undefined },
      rows: { request: world.questionRow, result: world.answerRow },
      send: () => how.deliver(dressed, how.signal),
    });
    return answerOf(outcome);
  }
}

function capabilitiesFor({ world, call }: Walk, link: AgentLink): Call['args'] {
  const { target } = call;
  if (!('server' in target)) return {};
  const server = world.serverOf(target.server);
  return allowedCapabilities(link.capabilities, (action) => world.mayEver(call, server, action));
}

function answerOf(outcome: Outcome): QuestionAnswer {
  if (outcome.kind === 'completed') return { kind: 'answered', result: outcome.result };
  if (outcome.kind === 'input-required') throw new Error('a question was interrupted by another');
  const { reason, message } = outcome;
  return { kind: 'unanswered', undeclared: reason === 'capability-missing', message };
}

function unanswered(message: string): DispatchResult {
  return { kind: 'failed', reason: 'question-unanswered', message, inDoubt: false };
}

function dispatchResultOf(answer: AskAnswer): DispatchResult {
  if (answer.kind === 'result') return completed(answer.result);
  if (answer.kind === 'error') {
    return unanswered(`the client answered with error ${answer.error.code}`);
  }
  if (answer.why !== 'cancelled') return unanswered(answer.message);
  return { kind: 'failed', reason: 'cancelled', message: answer.message, inDoubt: false };
}

function resultOfReaction(reaction: Reaction): DispatchResult {
  if (reaction.kind === 'answered') return completed(reaction.result);
  return { kind: 'failed', reason: reaction.reason, message: reaction.message, inDoubt: false };
}

function completed(result: Call['args']): DispatchResult {
  return { kind: 'completed', result, resultBytes: Buffer.byteLength(JSON.stringify(result)) };
}
