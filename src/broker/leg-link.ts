import type { ClientContext, LogLevel } from '../domain/agent-link.ts';
import type { JsonObject } from '../lib/json.ts';

/**
 * The agent's side of a call that goes on over several requests: what the tool server tells meanwhile goes with the
 * request that is open, and nowhere between two of them. What was wished for is what the first of them said.
 */
export class RoundClientContext implements ClientContext {
  readonly capabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly wantsProgress: boolean;
  #current: ClientContext | undefined;

  constructor(first: ClientContext) {
    this.capabilities = first.capabilities;
    this.logLevel = first.logLevel;
    this.wantsProgress = first.wantsProgress;
  }

  /** From now on `link` is the one that is open; undefined where none is. */
  follow(client: ClientContext | undefined): void {
    this.#current = client;
  }

  progress(params: JsonObject): boolean {
    return this.#current?.progress(params) ?? false;
  }

  log(params: JsonObject): boolean {
    return this.#current?.log(params) ?? false;
  }
}
