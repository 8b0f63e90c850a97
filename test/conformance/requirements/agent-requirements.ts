/** What the broker must show to agents. */
export const AGENT_REQUIREMENTS = {
  // Handshake and discovery
  'agents.initialize.version-spoken': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'a client that asks for a revision that is spoken gets this revision',
  },
  'agents.initialize.counter-offer': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'a client that asks for another revision is offered the newest legacy one',
  },
  'agents.initialize.identity': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: 'the answer to `initialize` names the server and what it can do',
  },
  'agents.initialize.parameters': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`initialize` without revision, capabilities or client is refused with -32602',
  },
  'agents.initialize.first': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: 'a legacy request before `initialize` is refused',
  },
  'agents.initialized': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`notifications/initialized` is taken without an answer',
  },
  'agents.capabilities.offers': {
    source: '2026-07-28/server/discover',
    holds: 'everywhere',
    says: 'a surface is declared where there is something of it for the agent, and else not',
  },
  'agents.discover': {
    source: '2026-07-28/server/discover',
    holds: 'modern',
    says: '`server/discover` tells revisions and capabilities, for how long, and that they are private',
  },
  'agents.stateless': {
    source: '2026-07-28/basic#statelessness',
    holds: 'modern',
    says: 'a request is served without any handshake before it',
  },
  'agents.envelope.meta': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request without `_meta` is refused with -32602, on HTTP as 400',
  },
  'agents.envelope.version': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request whose `_meta` has no revision is refused with -32602, on HTTP as 400',
  },
  'agents.envelope.capabilities': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request whose `_meta` has no client capabilities is refused with -32602, on HTTP as 400',
  },
  'agents.envelope.client': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'a request whose `_meta` does not name the client is served',
  },
  'agents.version.unsupported': {
    source: '2026-07-28/basic/versioning',
    holds: 'modern',
    says: 'another revision is refused with -32022, which names the supported and the requested one, on HTTP as 400',
  },
  'agents.version.legacy-header': {
    source: '2025-11-25/basic/transports#protocol-version-header',
    holds: 'legacy http',
    says: 'a header `MCP-Protocol-Version` of a revision that is not spoken is refused with 400',
  },
  'agents.methods.removed': {
    source: '2026-07-28/changelog',
    holds: 'modern',
    says: '`initialize`, `ping`, `logging/setLevel` and subscriptions of resources are unknown methods',
  },
  'agents.methods.unknown': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'everywhere',
    says: 'an unknown method is refused with -32601, over HTTP as 404 in the modern era and as 200 before',
  },
  'agents.ping': {
    source: '2025-11-25/basic/utilities/ping',
    holds: 'legacy',
    says: '`ping` is answered with an empty result',
  },
  'agents.result-type': {
    source: '2026-07-28/basic#result-types',
    holds: 'everywhere',
    says: 'results say `resultType: complete` in the modern era and nothing of the kind before',
  },
  'agents.server-identity': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'results name the broker in `_meta` in the modern era and not before, and never the tool server',
  },

  // JSON-RPC
  'agents.ids.echoed': {
    source: '2025-11-25/basic#requests',
    holds: 'everywhere',
    says: 'a reply has the id of its request, a text as text and a number as number',
  },
  'agents.ids.under-way': {
    source: '2025-11-25/basic#requests',
    holds: 'stdio',
    says: 'an id that is under way on the same stream is refused',
  },
  'agents.ids.of-errors': {
    source: '2026-07-28/basic#responses',
    holds: 'everywhere',
    says: 'an error has the id of its request',
  },
  'agents.rpc.parse-error': {
    source: '2025-11-25/basic#responses',
    holds: 'everywhere',
    says: 'what is not JSON is refused with -32700 and id null, on HTTP as 400',
  },
  'agents.rpc.batches': {
    source: '2025-11-25/changelog',
    holds: 'everywhere',
    says: 'a batch is refused with -32600, on HTTP as 400',
  },
  'agents.rpc.version': {
    source: '2025-11-25/basic#messages',
    holds: 'everywhere',
    says: 'a message that is not JSON-RPC 2.0 is refused with -32600, on HTTP as 400',
  },
  'agents.notifications.unknown': {
    source: '2026-07-28/basic#notifications',
    holds: 'everywhere',
    says: 'an unknown notification is taken without an answer',
  },

  // HTTP
  'agents.http.session-minted': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'the answer to `initialize` has a session id of visible ASCII',
  },
  'agents.http.session-required': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a request without a session id is refused with 400',
  },
  'agents.http.session-unknown': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a request of an unknown session is refused with 404',
  },
  'agents.http.session-ended': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'DELETE ends a session, and what names it afterwards is refused with 404',
  },
  'agents.http.session-owner': {
    source: '2025-11-25/basic/security_best_practices#session-hijacking',
    holds: 'legacy http',
    says: "another agent's session is answered like one that does not exist",
  },
  'agents.http.session-ignored': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'a session id on a modern request is ignored',
  },
  'agents.http.post-alone': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'GET and DELETE without a legacy session are answered 405',
  },
  'agents.http.get-stream': {
    source: '2025-11-25/basic/transports#listening-for-messages-from-the-server',
    holds: 'legacy http',
    says: 'GET within a session opens a stream of events',
  },
  'agents.http.accepted': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a notification is answered 202 without a body',
  },
  'agents.http.content-type': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a body that is not declared as JSON is refused with 415',
  },
  'agents.http.origin': {
    source: '2025-11-25/basic/transports#security-warning',
    holds: 'http',
    says: 'a request of a foreign page is refused with 403',
  },
  'agents.http.host': {
    source: '2025-11-25/basic/transports#security-warning',
    holds: 'http',
    says: 'a request to a foreign host name is refused with 403',
  },
  'agents.http.unauthorized': {
    source: '2025-11-25/basic/authorization#token-handling',
    holds: 'http',
    says: 'a request without a valid key is refused with 401 and `WWW-Authenticate`',
  },
  'agents.headers.version': {
    source: '2026-07-28/basic/transports/streamable-http#server-validation',
    holds: 'modern http',
    says: 'a header `MCP-Protocol-Version` that is missing or differs from the body is refused with -32020 and 400',
  },
  'agents.headers.method': {
    source: '2026-07-28/basic/transports/streamable-http#server-validation',
    holds: 'modern http',
    says: 'a header `Mcp-Method` that is missing or differs from the body, if only in case, is refused with -32020 and 400',
  },
  'agents.headers.name': {
    source: '2026-07-28/basic/transports/streamable-http#server-validation',
    holds: 'modern http',
    says: 'a header `Mcp-Name` that is missing or differs from the body is refused with -32020 and 400',
  },
  'agents.headers.name-encoded': {
    source: '2026-07-28/basic/transports/streamable-http#value-encoding',
    holds: 'modern http',
    says: 'a header `Mcp-Name` may be written in base64, and only in valid base64',
  },
  'agents.headers.parameter': {
    source: '2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers',
    holds: 'modern http',
    says: 'an argument that `x-mcp-header` annotates must be repeated by its header, else -32020 and 400',
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
    says: 'a long list comes in pages, and the cursors lead through each entry once',
  },
  'agents.lists.cursor-invalid': {
    source: '2025-11-25/server/utilities/pagination#error-handling',
    holds: 'everywhere',
    says: 'a cursor that was not handed out is refused with -32602',
  },
  'agents.lists.caching': {
    source: '2026-07-28/server/utilities/caching',
    holds: 'everywhere',
    says: 'a list says for how long it may be kept and that it is private in the modern era, and nothing before',
  },
  'agents.lists.verbatim': {
    source: '2026-07-28/server/tools#tool',
    holds: 'everywhere',
    says: 'a definition is shown with every keyword of its schemas and every member that the broker does not know',
  },
  'agents.schemas.shown': {
    source: '2026-07-28/server/tools#output-schema',
    holds: 'everywhere',
    says: 'an `outputSchema` of what is no object is shown as it is in the modern era and as that of an object with the member `result` before, and boolean schemas of properties as objects',
  },
  'agents.schemas.results': {
    source: '2026-07-28/server/tools#structured-content',
    holds: 'everywhere',
    says: '`structuredContent` that is no object comes as it is in the modern era and as the member `result` of one before',
  },

  // Calls and the like
  'agents.calls.arguments': {
    source: '2025-11-25/server/tools#calling-tools',
    holds: 'everywhere',
    says: 'a call reaches the broker with its name and arguments, and without arguments as none',
  },
  'agents.calls.result': {
    source: '2025-11-25/server/tools#tool-result',
    holds: 'everywhere',
    says: 'a result comes back with every kind of content and every member that the broker does not know',
  },
  'agents.calls.parameters': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'a call without a name or with arguments that are no object is refused with -32602',
  },
  'agents.calls.unknown': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'a tool that does not exist or may not be seen is refused with -32602',
  },
  'agents.calls.tool-error': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'an error of the tool comes back as a result with `isError`',
  },
  'agents.calls.server-error': {
    source: '2025-11-25/basic#responses',
    holds: 'everywhere',
    says: 'a JSON-RPC error of the tool server comes back with its code, message and data',
  },
  'agents.calls.refused': {
    source: '2025-11-25/server/tools#error-handling',
    holds: 'everywhere',
    says: 'a refused call is a result with `isError` that the model can read',
  },
  'agents.prompts.get': {
    source: '2025-11-25/server/prompts#getting-a-prompt',
    holds: 'everywhere',
    says: 'a prompt is got with its arguments and comes back as its server made it',
  },
  'agents.prompts.unknown': {
    source: '2025-11-25/server/prompts#error-handling',
    holds: 'everywhere',
    says: 'a prompt that does not exist is refused with -32602',
  },
  'agents.prompts.refused': {
    source: '2026-07-28/basic#error-codes',
    holds: 'everywhere',
    says: 'a refusal of a prompt has a code outside of what JSON-RPC and MCP keep for themselves',
  },
  'agents.resources.read': {
    source: '2025-11-25/server/resources#reading-resources',
    holds: 'everywhere',
    says: 'a resource is read by its URI and comes back as its server holds it',
  },
  'agents.resources.unknown': {
    source: '2026-07-28/server/resources#error-handling',
    holds: 'everywhere',
    says: 'a resource that does not exist is refused with -32602 in the modern era and -32002 before, and names the URI',
  },
  'agents.resources.caching': {
    source: '2026-07-28/server/utilities/caching',
    holds: 'everywhere',
    says: 'what was read is private whatever its server says, and has no caching hints before the modern era',
  },
  'agents.completion': {
    source: '2025-11-25/server/utilities/completion',
    holds: 'everywhere',
    says: 'a completion asks for a prompt or a template with its argument and context',
  },
  'agents.completion.reference': {
    source: '2025-11-25/server/utilities/completion#error-handling',
    holds: 'everywhere',
    says: 'a completion of what is neither a prompt nor a template is refused with -32602',
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
    says: 'a request that was cancelled on pipes gets no answer',
  },
  'agents.cancel.closed-stream': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'modern http',
    says: 'closing the connection of a request cancels it',
  },
  'agents.cancel.unknown': {
    source: '2025-11-25/basic/utilities/cancellation#error-handling',
    holds: 'everywhere',
    says: 'a cancellation of what is not under way is ignored',
  },
} as const;
