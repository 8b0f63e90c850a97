/** Support of a method: towards agents and towards tool servers, in either era. */
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

/** Every request and notification of MCP, with its support. */
export const SPOKEN_METHODS: Readonly<Record<string, SpokenMethod>> = {
  initialize: { agents: LEGACY, servers: LEGACY },
  'notifications/initialized': { agents: LEGACY, servers: LEGACY },
  'server/discover': { agents: MODERN, servers: MODERN },
  ping: { agents: LEGACY, servers: LEGACY, note: 'the broker itself responds' },
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
    agents: BOTH,
    servers: BOTH,
    note: 'over HTTP in the modern era: by closing the connection',
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
    agents: LEGACY,
    servers: LEGACY,
    note: 'modern: by the end of the call',
  },
  'tasks/get': { agents: NONE, servers: NONE, note: 'the broker does not support tasks' },
  'tasks/result': { agents: NONE, servers: NONE },
  'tasks/update': { agents: NONE, servers: NONE },
  'tasks/list': { agents: NONE, servers: NONE },
  'tasks/cancel': { agents: NONE, servers: NONE },
};

/** Requests that an agent may send; the others of the table are sent by servers, or are notifications. */
export const AGENT_REQUESTS: readonly string[] = Object.keys(SPOKEN_METHODS).filter(
  (method) => !method.startsWith('notifications/') && !/^(?:elicitation|sampling|roots)\//.test(method),
);
