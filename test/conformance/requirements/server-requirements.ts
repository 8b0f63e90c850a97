/** What the broker must show to tool servers. */
export const SERVER_REQUIREMENTS = {
  // Era and handshake
  'servers.era.discover-first': {
    source: '2026-07-28/basic/versioning#backward-compatibility',
    holds: 'everywhere',
    says: 'a server whose era is not known is asked `server/discover` before anything else',
  },
  'servers.era.fall-back': {
    source: '2026-07-28/basic/versioning#backward-compatibility',
    holds: 'legacy',
    says: 'a server that does not know `server/discover` is asked `initialize`',
  },
  'servers.era.version-error': {
    source: '2026-07-28/basic/versioning',
    holds: 'modern',
    says: 'a server that answers -32022 and supports 2026-07-28 is spoken to in it',
  },
  'servers.era.remembered': {
    source: '2026-07-28/basic/versioning#backward-compatibility',
    holds: 'everywhere',
    says: 'a server whose era is known is not asked for it again',
  },
  'servers.initialize.version': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: '`initialize` asks for the newest legacy revision and names the broker',
  },
  'servers.initialize.older': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'an older revision that a server offers and the broker speaks is taken',
  },
  'servers.initialize.foreign': {
    source: '2025-11-25/basic/lifecycle#version-negotiation',
    holds: 'legacy',
    says: 'a server that offers a revision that is not spoken is left alone',
  },
  'servers.initialized': {
    source: '2025-11-25/basic/lifecycle#initialization',
    holds: 'legacy',
    says: '`notifications/initialized` comes after the answer to `initialize` and before every request',
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
    says: 'every request carries revision, client and client capabilities in `_meta`',
  },
  'servers.envelope.legacy': {
    source: '2025-11-25/basic#_meta',
    holds: 'legacy',
    says: 'no request carries the envelope of the modern era once the era is known',
  },
  'servers.headers.version': {
    source: '2025-11-25/basic/transports#protocol-version-header',
    holds: 'http',
    says: 'every request after the handshake has the header `MCP-Protocol-Version` of what was agreed on',
  },
  'servers.headers.accept': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'every POST accepts JSON and event streams',
  },
  'servers.headers.mirrored': {
    source: '2026-07-28/basic/transports/streamable-http#standard-headers',
    holds: 'modern http',
    says: 'every POST repeats its method in `Mcp-Method`, and its name or URI in `Mcp-Name`',
  },
  'servers.headers.encoded': {
    source: '2026-07-28/basic/transports/streamable-http#value-encoding',
    holds: 'modern http',
    says: 'a name that no header can hold is written in base64',
  },
  'servers.headers.parameters': {
    source: '2026-07-28/basic/transports/streamable-http#custom-headers',
    holds: 'modern http',
    says: 'an argument that `x-mcp-header` annotates is repeated by its header, and none where it is absent',
  },
  'servers.headers.legacy': {
    source: '2025-11-25/basic/transports',
    holds: 'legacy http',
    says: 'a legacy server gets none of the headers of the modern era once the era is known',
  },

  'servers.trace': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'a call that came with a trace context goes out in the same trace with the same flags, under a parent id of its own',
  },
  'servers.trace.header': {
    source: '2026-07-28/basic#_meta',
    holds: 'http',
    says: 'the header `traceparent` is that of `_meta`',
  },
  'servers.trace.none': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'a call that came without a trace context, or with one that is not valid, goes out without',
  },

  // Sessions
  'servers.session.repeated': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'the session id that a server gave comes with every later request',
  },
  'servers.session.lost': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a session that a server answers 404 for is opened anew, with `initialize` and without the old id',
  },
  'servers.session.ended': {
    source: '2025-11-25/basic/transports#session-management',
    holds: 'legacy http',
    says: 'a session that is not needed any more is ended by DELETE',
  },
  'servers.session.listened': {
    source: '2025-11-25/basic/transports#listening-for-messages-from-the-server',
    holds: 'legacy http',
    says: 'GET opens the stream of a session',
  },
  'servers.session.none': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'a modern server is sent neither GET nor DELETE nor a session id',
  },

  // Lists
  'servers.lists.declared': {
    source: '2025-11-25/basic/lifecycle#capability-negotiation',
    holds: 'everywhere',
    says: 'a list that a server does not declare is not asked for',
  },
  'servers.lists.cursors': {
    source: '2025-11-25/server/utilities/pagination',
    holds: 'everywhere',
    says: 'every page of a list is read, by the cursors that the server gives',
  },
  'servers.lists.verbatim': {
    source: '2026-07-28/basic#json-schema-usage',
    holds: 'everywhere',
    says: 'definitions are taken as they are declared, with all their keywords and members',
  },
  'servers.lists.changed': {
    source: '2025-11-25/server/tools#list-changed-notification',
    holds: 'legacy',
    says: 'a server that says that its list changed is asked for it again',
  },

  'servers.listen.filter': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a server that announces changed lists is subscribed to with `subscriptions/listen`, for the lists it declares',
  },
  'servers.listen.changed': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a modern server that says that its list changed is asked for it again',
  },
  'servers.subscribe': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'everywhere',
    says: 'a server is asked to tell of a resource in the way of its era, and what it tells is handed on',
  },

  // Requests and answers
  'servers.calls.forwarded': {
    source: '2025-11-25/server/tools#calling-tools',
    holds: 'everywhere',
    says: 'a call reaches its server under its own name, with exactly its arguments',
  },
  'servers.calls.result': {
    source: '2025-11-25/server/tools#tool-result',
    holds: 'everywhere',
    says: 'a result is taken with every member, also such as the broker does not know',
  },
  'servers.calls.stream': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'an answer on a stream of events counts like one in JSON, whatever comes before it',
  },
  'servers.calls.error': {
    source: '2025-11-25/basic#responses',
    holds: 'everywhere',
    says: 'an error of the server is taken with code, message and data',
  },
  'servers.calls.error-404': {
    source: '2026-07-28/basic/transports/streamable-http',
    holds: 'modern http',
    says: 'an error in a body of HTTP 404 or 400 is read like any other',
  },
  'servers.calls.ids': {
    source: '2025-11-25/basic#requests',
    holds: 'everywhere',
    says: 'no id is used twice within a session, and answers find their requests in any order',
  },
  'servers.calls.foreign-answer': {
    source: '2025-11-25/basic#responses',
    holds: 'http',
    says: 'an answer to another id than that of the request is none',
  },
  'servers.result-type.absent': {
    source: '2026-07-28/basic#result-types',
    holds: 'modern',
    says: 'a result without `resultType` is a complete one',
  },
  'servers.result-type.unknown': {
    source: '2026-07-28/basic#result-types',
    holds: 'modern',
    says: 'a result of a kind that is not known is not taken for one',
  },
  'servers.questions.ping': {
    source: '2025-11-25/basic/utilities/ping',
    holds: 'legacy',
    says: '`ping` of a server is answered',
  },
  'servers.questions.unknown': {
    source: '2025-11-25/basic#responses',
    holds: 'legacy',
    says: 'a request of a server that is not known is answered with -32601',
  },

  'servers.resumed': {
    source: '2025-11-25/basic/transports#resumability-and-redelivery',
    holds: 'legacy http',
    says: 'a call whose stream ended after an event with an id goes on by GET with that id in `Last-Event-ID`, and is not posted again',
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
    says: "a server is asked for progress under a token of the broker's own, where the agent wants to hear of it",
  },
  'servers.progress.attributed': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: 'progress reaches the request of its token and no other',
  },
  'servers.log.set-level': {
    source: '2025-11-25/server/utilities/logging#setting-log-level',
    holds: 'legacy',
    says: 'a server that declares log messages receives the level that the agent set',
  },
  'servers.log.envelope': {
    source: '2026-07-28/server/utilities/logging',
    holds: 'modern',
    says: 'a request carries the level that its agent asked for, and none where it asked for none',
  },
  'servers.log.foreign': {
    source: '2025-11-25/server/utilities/logging',
    holds: 'stdio',
    says: 'a log message on pipes that could belong to two calls reaches neither',
  },

  'servers.questions.capabilities': {
    source: '2026-07-28/basic#_meta',
    holds: 'everywhere',
    says: 'a server receives exactly the client capabilities that the client declared and policy allows',
  },
  'servers.questions.answered': {
    source: '2025-11-25/client/elicitation',
    holds: 'legacy',
    says: 'a question of a server within a call is answered with what the agent answers',
  },
  'servers.questions.refused': {
    source: '2025-11-25/client/elicitation',
    holds: 'legacy',
    says: 'a question that is not answered is refused with an error, and the call goes on',
  },
  'servers.urls.retried': {
    source: '2025-11-25/client/elicitation#url-elicitation-required-error',
    holds: 'legacy',
    says: 'a call that was answered with −32042 is sent again once the server says that the interaction is complete, and the user is not shown the same URL again',
  },
  'servers.urls.unknown': {
    source: '2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation',
    holds: 'legacy',
    says: 'that an interaction is over which is unknown, or was over before, is dropped',
  },
  'servers.urls.cancelled': {
    source: '2025-11-25/basic/utilities/cancellation',
    holds: 'legacy',
    says: 'a call that is cancelled while its URL is open is not sent again',
  },
  'servers.input-required.resumed': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a server that asks for input is asked again under another id, with the answers by their names and its state to the byte',
  },
  'servers.input-required.stateless': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a server that gave no state is sent none',
  },
  'servers.input-required.rounds': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a server that asks without end is given up',
  },

  // Cancellation
  'servers.cancel.notification': {
    source: '2025-11-25/basic/utilities/cancellation',
    holds: 'legacy',
    says: 'a call that is cancelled is cancelled at its server by `notifications/cancelled` with its id',
  },
  'servers.cancel.pipes': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'stdio',
    says: 'over stdio a cancelled call is announced with `notifications/cancelled` in either era',
  },
  'servers.cancel.closed-stream': {
    source: '2026-07-28/basic/patterns/cancellation',
    holds: 'modern http',
    says: 'a call that is cancelled is cancelled at its server by closing its connection, and by nothing else',
  },
  'servers.cancel.late': {
    source: '2025-11-25/basic/utilities/cancellation#timing-considerations',
    holds: 'everywhere',
    says: 'an answer that comes after its call was cancelled harms nothing',
  },
  'servers.deadline': {
    source: '2025-11-25/basic/lifecycle#timeouts',
    holds: 'legacy',
    says: 'a call that is not answered in time is cancelled at its server',
  },
} as const;
