import { expect, test } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import type { InputRequest } from '../../../src/domain/mcp/input-request.ts';
import { UrlIdMap } from '../../../src/input-required/rewrite-for-client.ts';

function urlRequest(elicitationId: string): InputRequest {
  return { method: 'elicitation/create', params: { mode: 'url', elicitationId } };
}

/** A map, and the ids of which its agent was notified. */
function createMap(): { readonly map: UrlIdMap; readonly notified: string[] } {
  const notified: string[] = [];
  const clientContext: ClientContext = {
    capabilities: {},
    logLevel: undefined,
    wantsProgress: false,
    progress: () => true,
    log: () => true,
    elicitationComplete: (id) => notified.push(id) > 0,
  };
  return { map: new UrlIdMap(clientContext), notified };
}

test('an agent is notified by the id of the broker, and only of elicitations that it got', () => {
  const { map, notified } = createMap();
  map.add(urlRequest('server-id'), urlRequest('broker-id'));
  expect(['server-id', 'broker-id', 'another'].map((id) => map.onComplete(id))).toEqual([true, false, false]);
  expect(notified).toEqual(['broker-id']);
});

test('an id over 256 characters is not stored', () => {
  const { map, notified } = createMap();
  const [longest, longer] = ['x'.repeat(256), 'x'.repeat(257)];
  map.add(urlRequest(longest), urlRequest('one'));
  map.add(urlRequest(longer), urlRequest('other'));
  expect([map.onComplete(longest), map.onComplete(longer)]).toEqual([true, false]);
  expect(notified).toEqual(['one']);
});
