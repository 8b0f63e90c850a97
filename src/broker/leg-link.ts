import type { AgentLink, LogLevel } from '../domain/agent-link.ts';
import type { JsonObject } from '../lib/json.ts';

/**
 * The agent's side of a call that goes on over several requests: what the tool server tells meanwhile goes with the
 * request that is open, and nowhere between two of them. What was wished for is what the first of them said.
 */
export class LegLink implements AgentLink {
  readonly capabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly wantsProgress: boolean;
  #now: AgentLink | undefined;

  constructor(first: AgentLink) {
    this.capabilities = first.capabilities;
    this.logLevel = first.logLevel;
    this.wantsProgress = first.wantsProgress;
  }

  /** From now on `link` is the one that is open; undefined where none is. */
  follow(link: AgentLink | undefined): void {
    this.#now = link;
  }

  progress(params: JsonObject): boolean {
    return this.#now?.progress(params) ?? false;
  }

  log(params: JsonObject): boolean {
    return this.#now?.log(params) ?? false;
  }
}
