/** What the broker must show to agents beside the reply to a request: notices, questions, changes. */
export const AGENT_STREAM_REQUIREMENTS = {
  // Progress and log messages
  'agents.progress.token': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: "progress of a request comes before its reply, under the agent's own token",
  },
  'agents.progress.unasked': {
    source: '2025-11-25/basic/utilities/progress',
    holds: 'everywhere',
    says: 'a request without a progress token receives no progress',
  },
  'agents.progress.over': {
    source: '2025-11-25/basic/utilities/progress#behavior-requirements',
    holds: 'everywhere',
    says: 'no progress comes after the reply',
  },
  'agents.stream.form': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a reply is a stream of events where something comes before it, and one JSON body else',
  },
  'agents.stream.accept': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'http',
    says: 'a client that accepts no event stream gets its reply as JSON and nothing before it',
  },
  'agents.log.declared': {
    source: '2025-11-25/server/utilities/logging#capabilities',
    holds: 'everywhere',
    says: 'log messages are declared as a capability',
  },
  'agents.log.set-level': {
    source: '2025-11-25/server/utilities/logging#setting-log-level',
    holds: 'legacy',
    says: '`logging/setLevel` is answered with an empty result, and -32602 where there is no such level',
  },
  'agents.log.level': {
    source: '2026-07-28/server/utilities/logging',
    holds: 'everywhere',
    says: 'log messages of the level that was asked for and above come before the reply, and none below it',
  },
  'agents.log.unasked': {
    source: '2026-07-28/server/utilities/logging',
    holds: 'everywhere',
    says: 'a request whose agent set no log level receives no log message',
  },

  // Questions of tool servers
  'agents.ask.request': {
    source: '2025-11-25/client/elicitation#creating-elicitation-requests',
    holds: 'legacy',
    says: "a question comes as a request on the call's own stream, and the call goes on with its answer",
  },
  'agents.ask.ids': {
    source: '2025-11-25/basic#requests',
    holds: 'legacy',
    says: 'no two questions to one client have the same id',
  },
  'agents.ask.refused': {
    source: '2025-11-25/basic#responses',
    holds: 'legacy',
    says: 'an error of the client is an answer too',
  },
  'agents.ask.accepted': {
    source: '2025-11-25/basic/transports#sending-messages-to-the-server',
    holds: 'legacy http',
    says: 'the answer to a question is taken with 202',
  },
  'agents.ask.declared': {
    source: '2025-11-25/basic/lifecycle#capability-negotiation',
    holds: 'everywhere',
    says: 'what the client declared that it can be asked is what the call knows of it, and a client that declared nothing is not asked',
  },
  'agents.urls.complete': {
    source: '2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation',
    holds: 'legacy',
    says: 'a client is notified that an interaction is complete under the id it was requested with, before the reply and after it',
  },
  'agents.urls.stateless': {
    source: '2026-07-28/client/elicitation',
    holds: 'modern',
    says: 'a modern client is not notified that an interaction is complete, since its era has no such notification',
  },
  'agents.ask.stateless': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a modern client is sent no request',
  },
  'agents.input-required.result': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a question is a result `input_required` with the requests by their names and a state',
  },
  'agents.input-required.resumed': {
    source: '2026-07-28/basic/patterns/mrtr',
    holds: 'modern',
    says: 'a call that is repeated with answers and state goes on with both as they were sent',
  },
  'agents.input-required.stale': {
    source: '2026-07-28/basic/patterns/mrtr#security-considerations',
    holds: 'modern',
    says: 'a state that is not valid is refused with -32602, whatever is wrong with it',
  },
  'agents.capability-missing': {
    source: '2026-07-28/basic#error-codes',
    holds: 'modern',
    says: 'a call that needs what the client did not declare is refused with -32021 that names it, on HTTP as 400',
  },

  // Changes
  'agents.list-changed': {
    source: '2025-11-25/server/tools#list-changed-notification',
    holds: 'everywhere',
    says: 'a listening agent is notified that its own list changed, and never about the lists of others',
  },
  'agents.subscribe.answered': {
    source: '2025-11-25/server/resources#subscriptions',
    holds: 'legacy',
    says: 'a subscription to a resource is answered with an empty result, and so is its end',
  },
  'agents.subscribe.updated': {
    source: '2025-11-25/server/resources#subscriptions',
    holds: 'legacy',
    says: 'an agent is notified about the resources it subscribes to, until it unsubscribes',
  },
  'agents.subscribe.unknown': {
    source: '2025-11-25/server/resources#error-handling',
    holds: 'legacy',
    says: 'a subscription to what may not be subscribed to is answered like one to what does not exist',
  },
  'agents.listen.resources': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a subscription names resources, acknowledges only those that are granted, and receives their changes',
  },
  'agents.listen.acknowledged': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'the first message of a subscription acknowledges what of the filter is served',
  },
  'agents.listen.tagged': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'every message of a subscription bears the id of the request that opened it',
  },
  'agents.listen.filter': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a subscription receives nothing outside its filter',
  },
  'agents.listen.parameters': {
    source: '2026-07-28/basic/patterns/subscriptions',
    holds: 'modern',
    says: 'a subscription without a filter is refused with -32602',
  },
  'agents.listen.closed': {
    source: '2026-07-28/basic/patterns/subscriptions#graceful-closure',
    holds: 'modern',
    says: 'a subscription that the broker ends gets an empty result',
  },
} as const;
