/** A variable that conditions can read: its CEL type, its content, and its fields when they are fixed. */
export interface ConditionVariable {
  readonly celType: string;
  readonly description: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** Everything that a condition can read. Any other name or field is refused as a spelling mistake. */
export const CONDITION_VARIABLES: Readonly<Record<string, ConditionVariable>> = {
  args: {
    celType: 'map<string, dyn>',
    description: 'The arguments of the call, at any depth; numbers are doubles',
  },
  now: { celType: 'google.protobuf.Timestamp', description: 'The time of the decision' },
  principal: {
    celType: 'map<string, string>',
    description: 'The calling agent; reading a field that its file does not set is an error of the condition',
    fields: {
      agent: 'Its id, `agent:<name>`',
      owner: '`owner` of its file',
      team: '`team` of its file',
      costCenter: '`costCenter` of its file',
      environment: '`environment` of its file',
      proof: '`api-key` or `os-user`',
    },
  },
  target: {
    celType: 'map<string, dyn>',
    description: 'The called tool, prompt or resource',
    fields: {
      server: 'Name of the server',
      kind: '`tool`, `prompt` or `resource`',
      name: 'Its name on its server; of a resource, the URI in its normal form',
      tool: 'The same for a tool; for anything else, reading it is an error of the condition',
      risk: '`read`, `write` or `destructive`',
      labels: 'The list of its `labels`',
    },
  },
  context: {
    celType: 'map<string, string>',
    description: 'The connection of the call; it proves nothing about the caller',
    fields: {
      transport: '`http` or `stdio`',
      protocolVersion: 'The MCP protocol version of the agent',
    },
  },
};

/** Every function that a condition can call, with an example that is true. */
export const CONDITION_FUNCTIONS: Readonly<Record<string, string>> = {
  has: 'has(args.path) && !has(args.absent)',
  size: "size('four') == 4 && size([1, 2]) == 2",
  int: "int('42') == 42",
  double: "double('1.5') == 1.5",
  string: "string(42) == '42'",
  bool: "bool('true')",
  type: 'type(1) == int',
  dyn: 'dyn(1) == 1',
  timestamp: "now < timestamp('2100-01-01T00:00:00Z')",
  duration: "duration('90m') > duration('1h')",
  re2: "re2('notes.md', '^[a-z]+[.]md$') && 'notes.md'.re2('md$')",
  startsWith: "'notes.md'.startsWith('notes')",
  endsWith: "'notes.md'.endsWith('.md')",
  contains: "'notes.md'.contains('.')",
  trim: "' x '.trim() == 'x'",
  indexOf: "'notes.md'.indexOf('.') == 5",
  substring: "'notes.md'.substring(0, 5) == 'notes'",
  lowerAscii: "'MD'.lowerAscii() == 'md'",
  upperAscii: "'md'.upperAscii() == 'MD'",
  getFullYear: "timestamp('2026-07-28T09:30:15Z').getFullYear() == 2026",
  getMonth: "timestamp('2026-07-28T09:30:15Z').getMonth() == 6",
  getDate: "timestamp('2026-07-28T09:30:15Z').getDate() == 28",
  getDayOfMonth: "timestamp('2026-07-28T09:30:15Z').getDayOfMonth() == 27",
  getDayOfWeek: "timestamp('2026-07-28T09:30:15Z').getDayOfWeek() == 2",
  getHours: "timestamp('2026-07-28T09:30:15Z').getHours() == 9",
  getMinutes: "timestamp('2026-07-28T09:30:15Z').getMinutes() == 30",
  getSeconds: "timestamp('2026-07-28T09:30:15Z').getSeconds() == 15",
};

/** Every comprehension macro, with an example that is true. */
export const CONDITION_COMPREHENSIONS: Readonly<Record<string, string>> = {
  all: '[1, 2].all(n, n > 0)',
  exists: "args.tags.exists(tag, tag == 'urgent')",
  exists_one: '[1, 2].exists_one(n, n == 2)',
  map: '[1, 2].map(n, n * 2) == [2, 4]',
  filter: 'size([1, 2].filter(n, n > 1)) == 1',
};
