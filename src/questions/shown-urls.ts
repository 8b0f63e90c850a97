import type { AgentLink } from '../domain/agent-link.ts';
import { isElicitationId, type ServerQuestion, type UrlCompletion } from '../domain/question.ts';

/**
 * The URLs that one call had its legacy agent open, by the ids of the server that asked, each with the id of ours that the
 * agent knows it by. It lives for as long as their interactions, so it holds nothing else of the call.
 */
export class ShownUrls implements UrlCompletion {
  readonly #link: AgentLink;
  readonly #ids = new Map<string, string>();

  constructor(link: AgentLink) {
    this.#link = link;
  }

  /** Notes that the agent is asked `shown` for what its server asked as `own`. */
  note(own: ServerQuestion, shown: ServerQuestion): void {
    const [ownId, shownId] = [own.params.elicitationId, shown.params.elicitationId];
    if (isElicitationId(ownId) && typeof shownId === 'string') this.#ids.set(ownId, shownId);
  }

  complete(elicitationId: string): boolean {
    const shownId = this.#ids.get(elicitationId);
    return shownId !== undefined && this.#link.elicitationComplete?.(shownId) === true;
  }
}
