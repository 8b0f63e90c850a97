import type { Ask, AskAnswer } from '../../domain/agent-link.ts';
import type { JsonRpcErrorBody } from '../../domain/outcome.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { RpcResponse } from './envelope.ts';
import { notificationText } from './notification-text.ts';

/** Where a question goes: false where it cannot be sent. */
interface QuestionSink {
  send(json: string): boolean;
}

/** Questions that one client may have open at one time. */
const MAX_OPEN = 64;

/**
 * The questions that a legacy client was asked and has not answered. They go out on the stream of the request that they
 * belong to, under ids of our own; the answers come as messages of the client's own.
 */
export class AgentQuestions {
  readonly #open = new Map<number, (answer: AskAnswer) => void>();
  #lastId = 0;

  /** Asks on the stream behind `sink`. */
  askOn(sink: QuestionSink): Ask {
    return (method, params, { signal, timeoutMs }) => {
      if (signal.aborted) return Promise.resolve(failed('cancelled', 'the call is over'));
      if (this.#open.size >= MAX_OPEN) return Promise.resolve(failed('gone', 'the client has too many questions open'));
      this.#lastId += 1;
      const id = this.#lastId;
      if (!sink.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))) {
        return Promise.resolve(failed('gone', 'the client cannot be asked'));
      }
      return new Promise((resolve) => {
        const settle = (answer: AskAnswer): void => {
          this.#open.delete(id);
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          resolve(answer);
        };
        const giveUp = (answer: AskAnswer): void => {
          sink.send(cancelledText(id));
          settle(answer);
        };
        const onAbort = (): void => giveUp(failed('cancelled', 'the call is over'));
        const timer = setTimeout(() => giveUp(failed('timeout', 'no answer came in time')), timeoutMs);
        signal.addEventListener('abort', onAbort, { once: true });
        this.#open.set(id, settle);
      });
    };
  }

  /** Takes the answer of a client; false where it answers nothing that was asked. */
  take({ id, body }: RpcResponse): boolean {
    const settle = typeof id === 'number' ? this.#open.get(id) : undefined;
    settle?.(answerOf(body));
    return settle !== undefined;
  }
}

function answerOf({ result, error }: JsonObject): AskAnswer {
  if (isJsonObject(result)) return { kind: 'result', result };
  if (isJsonObject(error) && Number.isSafeInteger(error.code) && typeof error.message === 'string') {
    // `as`: both members that the type demands were just checked.
    return { kind: 'error', error: error as unknown as JsonRpcErrorBody };
  }
  return failed('gone', 'the client answered with what is no answer');
}

function failed(why: Extract<AskAnswer, { kind: 'failed' }>['why'], message: string): AskAnswer {
  return { kind: 'failed', why, message };
}

function cancelledText(requestId: number): string {
  return notificationText('notifications/cancelled', { requestId });
}
