import { expect, test } from 'vitest';
import type { Call } from '../../../src/domain/call.ts';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { type RequestHandler, sendJson, serveHttp } from '../../fixtures/http-upstream.ts';
import { callOf, httpServer, openPool, type Upstream } from '../../fixtures/upstream-pool.ts';

const GREET: JsonObject = { name: 'greet', description: 'says hello' };
const TEMPLATE: JsonObject = { uriTemplate: 'note://{name}', name: 'notes' };

/** A server of 2026-07-28 without tools. `lists` holds each list, or the error code of its refusal. */
function serverOf(lists: Readonly<Record<string, readonly JsonObject[] | number>>): RequestHandler {
  return ({ message: { id, method } }, response) => {
    const listed = lists[method];
    const reply = (result: object): void => sendJson(response, { jsonrpc: '2.0', id, result });
    const refuse = (code: number): void => sendJson(response, { jsonrpc: '2.0', id, error: { code, message: 'no' } });
    if (method === 'server/discover') {
      const capabilities = { prompts: {}, resources: {}, completions: {} };
      reply({ supportedVersions: ['2026-07-28'], capabilities });
    } else if (typeof listed === 'number') refuse(listed);
    else if (listed !== undefined) {
      reply({ [method === 'resources/templates/list' ? 'resourceTemplates' : (method.split('/')[0] ?? '')]: listed });
    } else reply({ messages: [], contents: [], completion: { values: [] } });
  };
}

const ALL = {
  'prompts/list': [GREET],
  'resources/list': [{ uri: 'note://one', name: 'one' }],
  'resources/templates/list': [TEMPLATE],
};

function ask(
  { pool }: Upstream,
  act: { action: Call['action']; target: object; args?: JsonObject },
): Promise<DispatchResult> {
  const call = callOf('unused', act.args ?? {}, {});
  const target = { ...call.target, ...act.target };
  // `as`: the pool reads only these members of a target.
  return pool.dispatch({ ...call, action: act.action, target } as Call, { signal: new AbortController().signal });
}

test('a server without tools is asked for the lists it declares', async () => {
  const http = await serveHttp(serverOf(ALL));
  expect(await openPool(httpServer(http.url)).pool.discover('srv')).toMatchObject({
    ...{ tools: [], prompts: [GREET], templates: [TEMPLATE], unlisted: [] },
    resources: [{ uri: 'note://one', name: 'one' }],
  });
  expect(http.received.map(({ message }) => message.method)).not.toContain('tools/list');
});

test('a list that cannot be read is empty and reported, unless the server does not have the method', async () => {
  const lists = { ...ALL, 'prompts/list': -32_603, 'resources/templates/list': -32_601 };
  const http = await serveHttp(serverOf(lists));
  expect(await openPool(httpServer(http.url)).pool.discover('srv')).toMatchObject({
    ...{ prompts: [], templates: [], unlisted: ['the server responded to `prompts/list` with error -32603'] },
    resources: [{ uri: 'note://one', name: 'one' }],
  });
});

test('each action uses its own method, with the upstream name or URI', async () => {
  const http = await serveHttp(serverOf(ALL));
  const upstream = openPool(httpServer(http.url));
  const prompt = { kind: 'prompt', prompt: 'greet', definition: GREET };
  const template = { kind: 'template', uriTemplate: 'note://{name}', definition: TEMPLATE };
  const resource = { kind: 'resource', uri: 'note://two', definition: TEMPLATE };
  const argument = { name: 'name', value: 'a' };
  await ask(upstream, { action: 'get', target: prompt, args: { who: 'Ana' } });
  await ask(upstream, { action: 'read', target: resource });
  await ask(upstream, { action: 'complete', target: prompt, args: { argument } });
  await ask(upstream, { action: 'complete', target: template, args: { argument } });
  const sent = http.received.slice(-4).map(({ message, headers }) => {
    const { _meta, ...params } = message.params;
    return [message.method, headers['mcp-name'], params];
  });
  expect(sent).toEqual([
    ['prompts/get', 'greet', { name: 'greet', arguments: { who: 'Ana' } }],
    ['resources/read', 'note://two', { uri: 'note://two' }],
    ['completion/complete', undefined, { ref: { type: 'ref/prompt', name: 'greet' }, argument }],
    ['completion/complete', undefined, { ref: { type: 'ref/resource', uri: 'note://{name}' }, argument }],
  ]);
});

test('a prompt or template with another definition in the session is not used; a listed resource has no definition', async () => {
  const http = await serveHttp(serverOf(ALL));
  const upstream = openPool(httpServer(http.url));
  const drifted = { kind: 'failed', reason: 'tool-drifted', inDoubt: false };
  const changed = { ...GREET, description: 'obeys' };
  expect(
    await ask(upstream, { action: 'get', target: { kind: 'prompt', prompt: 'greet', definition: changed } }),
  ).toMatchObject({ ...drifted, message: 'the prompt is no longer what was agreed to' });
  const other = { uriTemplate: 'note://{other}', name: 'notes' };
  const made = { kind: 'resource', uri: 'note://two', definition: other };
  expect(await ask(upstream, { action: 'read', target: made })).toMatchObject(drifted);
  const gone = { kind: 'resource', uri: 'note://gone', definition: { uri: 'note://gone', name: 'gone' } };
  expect(await ask(upstream, { action: 'read', target: gone })).toMatchObject({ kind: 'completed' });
});
