/** Required behaviour towards tool servers. */
export const SERVER_REQUIREMENTS = {
  // Era and handshake
  'servers.era.discover-first': {
    source: '2026-07-28/basic/versioning#backward-compatibility',
    holds: 'everywhere',
    says: 'a server of unknown era gets `server/discover` before any other request',
  },
  'servers.era.fall-back': {
    source: '2026-07-28/basic/versioning#backward-compatibility',
    holds: 'legacy',
    says: 'a server without `server/discover` gets `initialize`',
  },
  'servers.era.version-error': {
    source: '2026-07-28/basic/versioning',
    holds: 'modern',
    says: 'a server that responds with -32022 and supports 2026-07-28 is used with this revision',
  },
  'servers.era.remembered': {
    source: '2026-07-28/basic/versioning#backward-compatibility',
    holds: 'everywhere',
    says: 'the era of a known server is not negotiated again',
  },
  'servers.initialize.version': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: '`initialize` requests the newest legacy revision and names the broker',
  },
  'servers.initialize.older': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'an older supported revision that a server offers is accepted',
  },
  'servers.initialize.foreign': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'a server that offers an unsupported revision is not used',
  },
  'servers.initialized': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`notifications/initialized` follows the response to `initialize` and precedes every request',
  },
  'servers.once': {
    source: '2025-11-25/basic/lifecycle',
    holds: 'legacy',
    says: 'one session carries one call after the other',
  },

  // Envelope and headers
  'servers.envelope': {
    source: '2026-07-28/basic#_meta',
    holds: 'modern',
    says: 'every request has revision, client and client capabilities in `_meta`',
  },
  'servers.envelope.legacy': {
    source: '2025-11-25/basic#_meta',
    holds: 'legacy',
    says: 'a known legacy server gets no request with the envelope of the modern era',
  },
  'servers.headers.version': {
    source: '2025-11-25/basic/transports#protocol-version-header',
    holds: 'http',
    says: 'every request after the handshake has the negotiated revision in the header `MCP-Protocol-Version`',
  },
  'servers.headers.accept': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'every POST accepts JSON and event streams',
  },
  'servers.headers.mirrored': {
    source: '2026-07-28/basic/transports/streamable-http#standard-headers',
    holds: 'modern http',
    says: 'every POST has its method in `Mcp-Method`, and its name or URI in `Mcp-Name`',
  },
  'servers.headers.encoded': {
    source: '2026-07-28/basic/transports/streamable-http#value-encoding',
    holds: 'modern http',
    says: 'a name that is not a valid header value is sent in base64',
  },
  'servers.headers.parameters': {
    source: '2026-07-28/basic/transports/streamable-http#custom-headers',
    holds: 'modern http',
    says: 'an argument with an `x-mcp-header` annotation is sent in its header too; an absent argument has no header',
  },
  'servers.headers.legacy': {
    source: '2025-11-25/basic/transports',
    holds: 'legacy http',
    says: 'a known legacy server gets none of the headers of the modern era',
  },

  'servers.trace': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'a call with a trace context is sent in the same trace with the same flags, with a parent id of the broker',
  },
  'servers.trace.header': {
    source: '2026-07-28/basic#_meta',
    holds: 'http',
    says: 'the header `traceparent` equals that of `_meta`',
  },
  'servers.trace.none': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'a call without a trace context, or with an invalid one, is sent without',
  },

  // Sessions
  'servers.session.repeated': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'the session id of the server is sent with every later request',
  },
  'servers.session.lost': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a session that gets 404 is opened again, with `initialize` and without the old id',
  },
  'servers.session.ended': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a session that is no longer needed is ended with DELETE',
  },
  'servers.session.listened': {
    source: '2025-11-25/basic/transports#listening-for-messages-from-the-server',
    holds: 'legacy http',
    says: 'GET opens the stream of a session',
  },
  'servers.session.none': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'a modern server gets no GET, no DELETE and no session id',
  },

  // Lists
  'servers.lists.declared': {
    source: '2025-11-25/basic/lifecycle#capability-negotiation',
    holds: 'everywhere',
    says: 'a list whose capability the server does not declare is not requested',
  },
  'servers.lists.cursors': {
    source: '2025-11-25/server/utilities/pagination',
    holds: 'everywhere',
    says: 'every page of a list is read, with the cursors of the server',
  },
  'servers.lists.verbatim': {
    source: '2026-07-28/basic#json-schema-usage',
    holds: 'everywhere',
    says: 'definitions are kept as declared, with all keywords and members',
  },
  'servers.lists.changed': {
    source: '2025-11-25/server/tools#list-changed-notification',
    holds: 'legacy',
    says: 'a list is read again after the server notifies that it changed',
  },

  'servers.listen.filter': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a server that declares changes of lists gets `subscriptions/listen` with the lists that it declares',
  },
  'servers.listen.changed': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a list is read again after a modern server notifies that it changed',
  },
  'servers.subscribe': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'everywhere',
    says: 'a server gets the subscription of its era, and its updates are forwarded',
  },

  // Requests and responses
  'servers.calls.forwarded': {
    source: '2025-11-25/server/tools#calling-tools',
    holds: 'everywhere',
    says: "a call is sent with the server's own name of the tool and exactly its arguments",
  },
  'servers.calls.result': {
    source: '2025-11-25/server/tools#tool-result',
    holds: 'everywhere',
    says: 'a result is accepted with every member, including unknown ones',
  },
  'servers.calls.stream': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a response on an event stream counts like one in JSON, whatever comes before it',
  },
  'servers.calls.error': {
    source: '2025-11-25/basic#responses',
    holds: 'everywhere',
    says: 'an error of the server is accepted with code, message and data',
  },
  'servers.calls.error-404': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'an error in the body of HTTP 404 or 400 is read like any other',
  },
  'servers.calls.ids': {
    source: '2025-11-25/basic#requests',
    holds: 'everywhere',
    says: 'ids are unique within a session, and responses match their requests in any order',
  },
  'servers.calls.foreign-answer': {
    source: '2025-11-25/basic#responses',
    holds: 'http',
    says: 'a response with another id than that of the request is ignored',
  },
  'servers.result-type.absent': {
    source: '2026-07-28/basic#result-types',
    holds: 'modern',
    says: 'a result without `resultType` is complete',
  },
  'servers.result-type.unknown': {
    source: '2026-07-28/basic#result-types',
    holds: 'modern',
    says: 'a result with an unknown `resultType` is not accepted',
  },
  'servers.questions.ping': {
    source: '2025-11-25/basic/utilities/ping',
    holds: 'legacy',
    says: 'a `ping` of the server gets a response',
  },
  'servers.questions.unknown': {
    source: '2025-11-25/basic#responses',
    holds: 'legacy',
    says: 'an unknown request of the server gets -32601',
  },

  'servers.resumed': {
    source: '2025-11-25/basic/transports#resumability-and-redelivery',
    holds: 'legacy http',
    says: 'a call whose stream ended after an event with an id continues with GET and this id in `Last-Event-ID`; it is not posted again',
  },
  'servers.resumed.never': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'a call of a modern server whose stream ended is lost, whatever ids its events had',
  },

  // Progress and log messages
  'servers.progress.token': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: 'progress is requested with a token of the broker if the agent requested progress',
  },
  'servers.progress.attributed': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: 'progress is delivered to the request of its token and to no other',
  },
  'servers.log.set-level': {
    source: '2025-11-25/server/utilities/logging#setting-log-level',
    holds: 'legacy',
    says: 'a server that declares log messages gets the log level of the agent',
  },
  'servers.log.envelope': {
    source: '2026-07-28/server/utilities/logging',
    holds: 'modern',
    says: 'a request has the log level of its agent, and none if the agent requested none',
  },
  'servers.log.foreign': {
    source: '2025-11-25/server/utilities/logging',
    holds: 'stdio',
    says: 'a log message over stdio that could belong to two calls is delivered to neither',
  },

  'servers.questions.capabilities': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'a server gets exactly the client capabilities that the client of the call declared and the policy allows',
  },
  'servers.questions.answered': {
    source: '2025-11-25/client/elicitation',
    holds: 'legacy',
    says: 'an input request of a server within a call gets the response of the agent',
  },
  'servers.questions.refused': {
    source: '2025-11-25/client/elicitation',
    holds: 'legacy',
    says: 'an input request without a response gets an error, and the call continues',
  },
  'servers.urls.retried': {
    source: '2025-11-25/client/elicitation#url-elicitation-required-error',
    holds: 'legacy',
    says: 'a call that got −32042 is sent again after the server notifies that the URL elicitation is complete, and no client gets the same URL again',
  },
  'servers.urls.unknown': {
    source: '2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation',
    holds: 'legacy',
    says: 'a notification that a URL elicitation is complete is ignored if it is unknown or was complete before',
  },
  'servers.urls.cancelled': {
    source: '2025-11-25/basic/utilities/cancellation',
    holds: 'legacy',
    says: 'a call that is cancelled while its URL elicitation is open is not sent again',
  },
  'servers.input-required.resumed': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a server that requires input gets the call again with another id, the input responses by name, and its state byte for byte',
  },
  'servers.input-required.stateless': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a server that sent no state gets none',
  },
  'servers.input-required.rounds': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a call whose server requires input without end is aborted',
  },

  // Cancellation
  'servers.cancel.notification': {
    source: '2025-11-25/basic/utilities/cancellation',
    holds: 'legacy',
    says: 'a cancelled call is cancelled at its server with `notifications/cancelled` and its id',
  },
  'servers.cancel.pipes': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'stdio',
    says: 'over stdio a cancelled call is sent as `notifications/cancelled` in either era',
  },
  'servers.cancel.closed-stream': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'modern http',
    says: 'a cancelled call is cancelled at its server by closing its connection, and by nothing else',
  },
  'servers.cancel.late': {
    source: '2025-11-25/basic/utilities/cancellation#timing-considerations',
    holds: 'everywhere',
    says: 'a response that arrives after the cancellation of its call is ignored',
  },
  'servers.deadline': {
    source: '2025-11-25/basic/lifecycle#timeouts',
    holds: 'legacy',
    says: 'a call without a response in time is cancelled at its server',
  },
} as const;
