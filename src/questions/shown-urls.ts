import type { ClientContext } from '../domain/agent-link.ts';
import { type InputRequest, isElicitationId, type UrlElicitationListener } from '../domain/question.ts';

/**
 * The URLs that one call had its legacy agent open, by the ids of the server that asked, each with the id of ours that the
 * agent knows it by. It lives for as long as their interactions, so it holds nothing else of the call.
 */
export class UrlIdMap implements UrlElicitationListener {
  readonly #client: ClientContext;
  readonly #clientIds = new Map<string, string>();

  constructor(client: ClientContext) {
    this.#client = client;
  }

  /** Notes that the agent is asked `shown` for what its server asked as `own`. */
  add(fromServer: InputRequest, toClient: InputRequest): void {
    const [serverId, clientId] = [fromServer.params.elicitationId, toClient.params.elicitationId];
    if (isElicitationId(serverId) && typeof clientId === 'string') this.#clientIds.set(serverId, clientId);
  }

  onComplete(elicitationId: string): boolean {
    const clientId = this.#clientIds.get(elicitationId);
    return clientId !== undefined && this.#client.elicitationComplete?.(clientId) === true;
  }
}
