/** Required behaviour towards agents. */
export const AGENT_REQUIREMENTS = {
  // Handshake and discovery
  'agents.initialize.version-spoken': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'a client that requests a supported revision gets this revision',
  },
  'agents.initialize.counter-offer': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'a client that requests another revision is offered the newest legacy one',
  },
  'agents.initialize.identity': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: 'the response to `initialize` names the server and its capabilities',
  },
  'agents.initialize.parameters': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`initialize` without revision, capabilities or client is rejected with -32602',
  },
  'agents.initialize.first': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: 'a legacy request before `initialize` is rejected',
  },
  'agents.initialized': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`notifications/initialized` is accepted without a response',
  },
  'agents.capabilities.offers': {
    source: '2026-07-28/server/discover',
    holds: 'everywhere',
    says: 'a capability is declared if the agent may use a feature of its kind, and not otherwise',
  },
  'agents.discover': {
    source: '2026-07-28/server/discover',
    holds: 'modern',
    says: '`server/discover` returns revisions, capabilities and their lifetime, and marks them as private',
  },
  'agents.stateless': {
    source: '2026-07-28/basic#statelessness',
    holds: 'modern',
    says: 'a request is served without a handshake before it',
  },
  'agents.envelope.meta': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request without `_meta` is rejected with -32602, over HTTP with 400',
  },
  'agents.envelope.version': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request whose `_meta` has no revision is rejected with -32602, over HTTP with 400',
  },
  'agents.envelope.capabilities': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request whose `_meta` has no client capabilities is rejected with -32602, over HTTP with 400',
  },
  'agents.envelope.client': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request whose `_meta` does not name the client is served',
  },
  'agents.version.unsupported': {
    source: '2026-07-28/basic/versioning',
    holds: 'modern',
    says: 'an unsupported revision is rejected with -32022, which names the supported and the requested ones, over HTTP with 400',
  },
  'agents.version.legacy-header': {
    source: '2025-11-25/basic/transports#protocol-version-header',
    holds: 'legacy http',
    says: 'a header `MCP-Protocol-Version` with an unsupported revision is rejected with 400',
  },
  'agents.methods.removed': {
    source: '2026-07-28/changelog',
    holds: 'modern',
    says: '`initialize`, `ping`, `logging/setLevel`, `resources/subscribe` and `resources/unsubscribe` are unknown methods',
  },
  'agents.methods.unknown': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'everywhere',
    says: 'an unknown method is rejected with -32601, over HTTP with 404 in the modern era and with 200 in the legacy era',
  },
  'agents.ping': {
    source: '2025-11-25/basic/utilities/ping',
    holds: 'legacy',
    says: 'the response to `ping` is an empty result',
  },
  'agents.result-type': {
    source: '2026-07-28/basic#result-types',
    holds: 'everywhere',
    says: 'results have `resultType: complete` in the modern era, and no `resultType` in the legacy era',
  },
  'agents.server-identity': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'results name the broker in `_meta` in the modern era and not in the legacy era, and never the tool server',
  },

  // JSON-RPC
  'agents.ids.echoed': {
    source: '2025-11-25/basic#requests',
    holds: 'everywhere',
    says: 'a response has the id of its request: a string stays a string, and a number a number',
  },
  'agents.ids.under-way': {
    source: '2025-11-25/basic#requests',
    holds: 'stdio',
    says: 'the id of a request in progress on the same stream is rejected',
  },
  'agents.ids.of-errors': {
    source: '2026-07-28/basic#responses',
    holds: 'everywhere',
    says: 'an error has the id of its request',
  },
  'agents.rpc.parse-error': {
    source: '2025-11-25/basic#responses',
    holds: 'everywhere',
    says: 'invalid JSON is rejected with -32700 and id null, over HTTP with 400',
  },
  'agents.rpc.batches': {
    source: '2025-11-25/changelog',
    holds: 'everywhere',
    says: 'a batch is rejected with -32600, over HTTP with 400',
  },
  'agents.rpc.version': {
    source: '2025-11-25/basic#messages',
    holds: 'everywhere',
    says: 'a message that is not JSON-RPC 2.0 is rejected with -32600, over HTTP with 400',
  },
  'agents.notifications.unknown': {
    source: '2026-07-28/basic#notifications',
    holds: 'everywhere',
    says: 'an unknown notification is accepted without a response',
  },

  // HTTP
  'agents.http.session-minted': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'the response to `initialize` has a session id of visible ASCII characters',
  },
  'agents.http.session-required': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a request without a session id is rejected with 400',
  },
  'agents.http.session-unknown': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a request with an unknown session id is rejected with 404',
  },
  'agents.http.session-ended': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'DELETE ends a session, and later requests with its id are rejected with 404',
  },
  'agents.http.session-owner': {
    source: '2025-11-25/basic/security_best_practices#session-hijacking',
    holds: 'legacy http',
    says: 'the session id of another agent gets the same response as an unknown one',
  },
  'agents.http.session-ignored': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'a session id on a modern request is ignored',
  },
  'agents.http.post-alone': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'GET and DELETE without a legacy session get 405',
  },
  'agents.http.get-stream': {
    source: '2025-11-25/basic/transports#listening-for-messages-from-the-server',
    holds: 'legacy http',
    says: 'GET with a session id opens an event stream',
  },
  'agents.http.accepted': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a notification gets 202 without a body',
  },
  'agents.http.content-type': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a body whose content type is not JSON is rejected with 415',
  },
  'agents.http.origin': {
    source: '2025-11-25/basic/transports#security-warning',
    holds: 'http',
    says: 'a request with a foreign `Origin` is rejected with 403',
  },
  'agents.http.host': {
    source: '2025-11-25/basic/transports#security-warning',
    holds: 'http',
    says: 'a request with a foreign `Host` is rejected with 403',
  },
  'agents.http.unauthorized': {
    source: '2025-11-25/basic/authorization#token-handling',
    holds: 'http',
    says: 'a request without a valid key is rejected with 401 and `WWW-Authenticate`',
  },
  'agents.headers.version': {
    source: '2026-07-28/basic/transports/streamable-http#server-validation',
    holds: 'modern http',
    says: 'a missing header `MCP-Protocol-Version`, or one that differs from the body, is rejected with -32020 and 400',
  },
  'agents.headers.method': {
    source: '2026-07-28/basic/transports/streamable-http#server-validation',
    holds: 'modern http',
    says: 'a missing header `Mcp-Method`, or one that differs from the body even in case only, is rejected with -32020 and 400',
  },
  'agents.headers.name': {
    source: '2026-07-28/basic/transports/streamable-http#server-validation',
    holds: 'modern http',
    says: 'a missing header `Mcp-Name`, or one that differs from the body, is rejected with -32020 and 400',
  },
  'agents.headers.name-encoded': {
    source: '2026-07-28/basic/transports/streamable-http#value-encoding',
    holds: 'modern http',
    says: 'a header `Mcp-Name` may be base64, and invalid base64 is rejected',
  },
  'agents.headers.parameter': {
    source: '2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers',
    holds: 'modern http',
    says: 'an argument with an `x-mcp-header` annotation without its header is rejected with -32020 and 400',
  },

  // Lists
  'agents.lists.kinds': {
    source: '2025-11-25/server',
    holds: 'everywhere',
    says: 'tools, prompts, resources and templates are listed, each under its member',
  },
  'agents.lists.order': {
    source: '2026-07-28/server/tools#capabilities',
    holds: 'everywhere',
    says: 'a list has the same order each time',
  },
  'agents.lists.pages': {
    source: '2025-11-25/server/utilities/pagination',
    holds: 'everywhere',
    says: 'a long list is paginated, and the cursors lead to each entry once',
  },
  'agents.lists.cursor-invalid': {
    source: '2025-11-25/server/utilities/pagination#error-handling',
    holds: 'everywhere',
    says: 'a cursor that the broker did not issue is rejected with -32602',
  },
  'agents.lists.caching': {
    source: '2026-07-28/server/utilities/caching',
    holds: 'everywhere',
    says: 'a list has a lifetime and is marked as private in the modern era, and has neither in the legacy era',
  },
  'agents.lists.verbatim': {
    source: '2026-07-28/server/tools#tool',
    holds: 'everywhere',
    says: 'a definition is listed with every keyword of its schemas and every member, including unknown ones',
  },
  'agents.schemas.shown': {
    source: '2026-07-28/server/tools#output-schema',
    holds: 'everywhere',
    says: 'an `outputSchema` whose root is not an object is listed unchanged in the modern era, and as an object with the member `result` in the legacy era; there boolean schemas of properties are objects',
  },
  'agents.schemas.results': {
    source: '2026-07-28/server/tools#structured-content',
    holds: 'everywhere',
    says: '`structuredContent` that is not an object is returned unchanged in the modern era, and as the member `result` of an object in the legacy era',
  },

  // Calls and the like
  'agents.calls.arguments': {
    source: '2025-11-25/server/tools#calling-tools',
    holds: 'everywhere',
    says: 'a call arrives at the broker with its name and arguments, and without arguments if it has none',
  },
  'agents.calls.result': {
    source: '2025-11-25/server/tools#tool-result',
    holds: 'everywhere',
    says: 'a result is returned with every kind of content and every member, including unknown ones',
  },
  'agents.calls.parameters': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'a call without a name, or with arguments that are not an object, is rejected with -32602',
  },
  'agents.calls.unknown': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'a call of a tool that does not exist or that the agent may not see is rejected with -32602',
  },
  'agents.calls.tool-error': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'an error of the tool is returned as a result with `isError`',
  },
  'agents.calls.server-error': {
    source: '2025-11-25/basic#responses',
    holds: 'everywhere',
    says: 'a JSON-RPC error of the tool server is returned with its code, message and data',
  },
  'agents.calls.refused': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'a refused call gets a result with `isError` that the model can read',
  },
  'agents.prompts.get': {
    source: '2025-11-25/server/prompts#getting-a-prompt',
    holds: 'everywhere',
    says: '`prompts/get` passes the arguments on and returns the prompt of the server unchanged',
  },
  'agents.prompts.unknown': {
    source: '2025-11-25/server/prompts#error-handling',
    holds: 'everywhere',
    says: 'an unknown prompt is rejected with -32602',
  },
  'agents.prompts.refused': {
    source: '2026-07-28/basic#error-codes',
    holds: 'everywhere',
    says: 'the error code of a refused prompt is outside the ranges that JSON-RPC and MCP reserve',
  },
  'agents.resources.read': {
    source: '2025-11-25/server/resources#reading-resources',
    holds: 'everywhere',
    says: '`resources/read` returns the resource of the server unchanged',
  },
  'agents.resources.unknown': {
    source: '2026-07-28/server/resources#error-handling',
    holds: 'everywhere',
    says: 'an unknown resource is rejected with -32602 in the modern era and -32002 in the legacy era; the error names the URI',
  },
  'agents.resources.caching': {
    source: '2026-07-28/server/utilities/caching',
    holds: 'everywhere',
    says: 'a resource is marked as private whatever its server declares, and has no caching hints in the legacy era',
  },
  'agents.completion': {
    source: '2025-11-25/server/utilities/completion',
    holds: 'everywhere',
    says: 'a completion passes the prompt or template, the argument and the context on',
  },
  'agents.completion.reference': {
    source: '2025-11-25/server/utilities/completion#error-handling',
    holds: 'everywhere',
    says: 'a completion of anything but a prompt or a template is rejected with -32602',
  },

  // Cancellation
  'agents.cancel.notification': {
    source: '2025-11-25/basic/utilities/cancellation',
    holds: 'legacy',
    says: '`notifications/cancelled` cancels the request that it names and no other',
  },
  'agents.cancel.pipes': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'stdio',
    says: 'a cancelled request over stdio gets no response',
  },
  'agents.cancel.closed-stream': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'modern http',
    says: 'closing the connection of a request cancels it',
  },
  'agents.cancel.unknown': {
    source: '2025-11-25/basic/utilities/cancellation#error-handling',
    holds: 'everywhere',
    says: 'a cancellation of a request that is not in progress is ignored',
  },
} as const;
