/** Required behaviour towards agents beside responses: notifications, input requests, changes of lists and resources. */
export const AGENT_STREAM_REQUIREMENTS = {
  // Progress and log messages
  'agents.progress.token': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: "progress of a request arrives before its response, with the agent's own token",
  },
  'agents.progress.unasked': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: 'a request without a progress token gets no progress',
  },
  'agents.progress.over': {
    source: '2025-11-25/basic/utilities/progress#behavior-requirements',
    holds: 'everywhere',
    says: 'no progress arrives after the response',
  },
  'agents.stream.form': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a response is an event stream if a message comes before it, and otherwise one JSON body',
  },
  'agents.stream.accept': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a client that does not accept event streams gets its response as JSON, and no message before it',
  },
  'agents.log.declared': {
    source: '2025-11-25/server/utilities/logging#capabilities',
    holds: 'everywhere',
    says: 'log messages are declared as a capability',
  },
  'agents.log.set-level': {
    source: '2025-11-25/server/utilities/logging#setting-log-level',
    holds: 'legacy',
    says: '`logging/setLevel` gets an empty result, or -32602 for an unknown level',
  },
  'agents.log.level': {
    source: '2026-07-28/server/utilities/logging',
    holds: 'everywhere',
    says: 'log messages of the requested level and above arrive before the response, and none below it',
  },
  'agents.log.unasked': {
    source: '2026-07-28/server/utilities/logging',
    holds: 'everywhere',
    says: 'a request without a log level gets no log messages',
  },

  // Input requests of tool servers
  'agents.ask.request': {
    source: '2025-11-25/client/elicitation#creating-elicitation-requests',
    holds: 'legacy',
    says: "an input request arrives as a request on the call's own stream, and the call continues with the response",
  },
  'agents.ask.ids': {
    source: '2025-11-25/basic#requests',
    holds: 'legacy',
    says: 'input requests to one client have different ids',
  },
  'agents.ask.refused': {
    source: '2025-11-25/basic#responses',
    holds: 'legacy',
    says: 'an error of the client is a response too',
  },
  'agents.ask.accepted': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'legacy http',
    says: 'the response to an input request gets 202',
  },
  'agents.ask.declared': {
    source: '2025-11-25/basic/lifecycle#capability-negotiation',
    holds: 'everywhere',
    says: 'a call carries the capabilities that its client declared, and a client without capabilities gets no input request',
  },
  'agents.urls.complete': {
    source: '2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation',
    holds: 'legacy',
    says: 'a client is notified that a URL elicitation is complete by the id that it got, before the response and after it',
  },
  'agents.urls.stateless': {
    source: '2026-07-28/client/elicitation',
    holds: 'modern',
    says: 'a modern client gets no notification that a URL elicitation is complete, because its era has none',
  },
  'agents.ask.stateless': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a modern client gets no requests',
  },
  'agents.input-required.result': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'an input request is a result `input_required` with the requests by name and a state',
  },
  'agents.input-required.resumed': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a retried call passes its input responses and its state on unchanged',
  },
  'agents.input-required.stale': {
    source: '2026-07-28/basic/patterns/mrtr#security-considerations',
    holds: 'modern',
    says: 'an invalid state is rejected with -32602, whatever its problem is',
  },
  'agents.capability-missing': {
    source: '2026-07-28/basic#error-codes',
    holds: 'modern',
    says: 'a call that needs an undeclared capability is rejected with -32021, which names it, over HTTP with 400',
  },

  // Changes
  'agents.list-changed': {
    source: '2025-11-25/server/tools#list-changed-notification',
    holds: 'everywhere',
    says: 'a listening agent is notified when one of its own lists changes, and not when a list of another agent does',
  },
  'agents.subscribe.answered': {
    source: '2025-11-25/server/resources#subscriptions',
    holds: 'legacy',
    says: 'subscribing to a resource and unsubscribing get empty results',
  },
  'agents.subscribe.updated': {
    source: '2025-11-25/server/resources#subscriptions',
    holds: 'legacy',
    says: 'an agent is notified of the resources that it is subscribed to, until it unsubscribes',
  },
  'agents.subscribe.unknown': {
    source: '2025-11-25/server/resources#error-handling',
    holds: 'legacy',
    says: 'a subscription that is not allowed gets the same response as one to an unknown resource',
  },
  'agents.listen.resources': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a subscription names resources, the acknowledgement lists the allowed ones, and their changes are notified',
  },
  'agents.listen.acknowledged': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'the first message of a subscription acknowledges the part of the filter that is served',
  },
  'agents.listen.tagged': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'every message of a subscription has the id of the request that opened it',
  },
  'agents.listen.filter': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a subscription gets only the notifications of its filter',
  },
  'agents.listen.parameters': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a subscription without a filter is rejected with -32602',
  },
  'agents.listen.closed': {
    source: '2026-07-28/basic/patterns/subscriptions#graceful-closure',
    holds: 'modern',
    says: 'a subscription that the broker ends gets an empty result',
  },
} as const;
