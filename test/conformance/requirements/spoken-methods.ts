/** Where a method is spoken: to agents and to tool servers, in either era. */
export interface SpokenMethod {
  readonly agents: { readonly legacy: boolean; readonly modern: boolean };
  readonly servers: { readonly legacy: boolean; readonly modern: boolean };
  /** Remark beside yes and no. */
  readonly note?: string;
}

const BOTH = { legacy: true, modern: true } as const;
const LEGACY = { legacy: true, modern: false } as const;
const MODERN = { legacy: false, modern: true } as const;
const NONE = { legacy: false, modern: false } as const;

/** Every request and notification of MCP, with where it is spoken. */
export const SPOKEN_METHODS: Readonly<Record<string, SpokenMethod>> = {
  initialize: { agents: LEGACY, servers: LEGACY },
  'notifications/initialized': { agents: LEGACY, servers: LEGACY },
  'server/discover': { agents: MODERN, servers: MODERN },
  ping: { agents: LEGACY, servers: LEGACY, note: 'answered by the broker itself' },
  'tools/list': { agents: BOTH, servers: BOTH },
  'tools/call': { agents: BOTH, servers: BOTH },
  'prompts/list': { agents: BOTH, servers: BOTH },
  'prompts/get': { agents: BOTH, servers: BOTH },
  'resources/list': { agents: BOTH, servers: BOTH },
  'resources/templates/list': { agents: BOTH, servers: BOTH },
  'resources/read': { agents: BOTH, servers: BOTH },
  'resources/subscribe': { agents: LEGACY, servers: LEGACY },
  'resources/unsubscribe': { agents: LEGACY, servers: LEGACY },
  'subscriptions/listen': { agents: MODERN, servers: MODERN },
  'completion/complete': { agents: BOTH, servers: BOTH },
  'logging/setLevel': { agents: LEGACY, servers: LEGACY, note: 'a modern request carries its level in `_meta`' },
  'notifications/progress': { agents: BOTH, servers: BOTH },
  'notifications/message': { agents: BOTH, servers: BOTH },
  'notifications/cancelled': {
    ...{ agents: BOTH, servers: BOTH },
    note: 'over HTTP in the modern era closing the connection says it',
  },
  'notifications/tools/list_changed': { agents: BOTH, servers: BOTH },
  'notifications/prompts/list_changed': { agents: BOTH, servers: BOTH },
  'notifications/resources/list_changed': { agents: BOTH, servers: BOTH },
  'notifications/resources/updated': { agents: BOTH, servers: BOTH },
  'notifications/subscriptions/acknowledged': { agents: MODERN, servers: MODERN },
  'elicitation/create': { agents: BOTH, servers: BOTH, note: 'modern: within a result `input_required`' },
  'sampling/createMessage': { agents: BOTH, servers: BOTH, note: 'modern: within a result `input_required`' },
  'roots/list': { agents: BOTH, servers: BOTH, note: 'modern: within a result `input_required`' },
  'notifications/roots/list_changed': { agents: LEGACY, servers: LEGACY },
  'notifications/elicitation/complete': {
    ...{ agents: LEGACY, servers: LEGACY },
    note: 'a modern agent has it by the end of its call',
  },
  'tasks/get': { agents: NONE, servers: NONE, note: 'tasks are not governed and not offered' },
  'tasks/result': { agents: NONE, servers: NONE },
  'tasks/update': { agents: NONE, servers: NONE },
  'tasks/list': { agents: NONE, servers: NONE },
  'tasks/cancel': { agents: NONE, servers: NONE },
};

/** Requests that an agent may make; the others of the table are said by the broker, or are notifications. */
export const AGENT_REQUESTS: readonly string[] = Object.keys(SPOKEN_METHODS).filter(
  (method) => !method.startsWith('notifications/') && !/^(?:elicitation|sampling|roots)\//.test(method),
);
