import type { AgentLink, LogLevel } from '../domain/agent-link.ts';
import type { JsonObject } from '../lib/json.ts';
import type { RequestListener } from './mcp/channel.ts';

/** What hears the questions of a server about one call, and what the server is told that the client can answer. */
export interface QuestionListener {
  readonly capabilities: JsonObject;
  readonly onRequest: (id: string | number, method: string, params: JsonObject) => void;
  readonly onWithdrawn: (id: string | number) => boolean;
}

export interface CallListenerParts {
  readonly maxNotifications: number;
  readonly onDropped: () => void;
  /** Default: the server may ask nothing. */
  readonly questions: QuestionListener | undefined;
}

/**
 * What of a server's messages reaches the agent of one call: at most `maxNotifications` of them. Those over it are
 * dropped, and so is what the agent does not read in time, each told to `onDropped`; the call goes on. As many requests of
 * the server that nobody asked for are answered.
 */
export class CallListener implements RequestListener {
  readonly wantsProgress: boolean;
  readonly logLevel: LogLevel | undefined;
  readonly capabilities: JsonObject | undefined;
  readonly onRequest: QuestionListener['onRequest'] | undefined;
  readonly onWithdrawn: QuestionListener['onWithdrawn'] | undefined;
  readonly #link: AgentLink;
  readonly #parts: CallListenerParts;
  #told = 0;
  #asked = 0;

  constructor(link: AgentLink, parts: CallListenerParts) {
    const { questions } = parts;
    this.wantsProgress = link.wantsProgress;
    this.logLevel = link.logLevel;
    this.capabilities = questions?.capabilities;
    this.onRequest = questions?.onRequest;
    this.onWithdrawn = questions?.onWithdrawn;
    this.#link = link;
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#told >= this.#parts.maxNotifications;
  }

  onProgress(params: JsonObject): void {
    if (!this.#isWithinCap() || !this.#link.progress(params)) this.#parts.onDropped();
  }

  onLog(params: JsonObject): void {
    if (!this.#isWithinCap() || !this.#link.log(params)) this.#parts.onDropped();
  }

  mayBeAsked(): boolean {
    this.#asked += 1;
    return this.#asked <= this.#parts.maxNotifications;
  }

  #isWithinCap(): boolean {
    this.#told += 1;
    return this.#told <= this.#parts.maxNotifications;
  }
}
