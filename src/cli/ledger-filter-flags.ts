/** Which entries of the ledger a command shows; what it is not told it does not filter by. */
export const LEDGER_FILTER_FLAGS = [
  { name: 'agent', value: 'agent', description: 'only of this agent' },
  { name: 'kind', value: 'kind', description: 'only of this kind, such as `call.refused`' },
  { name: 'call', value: 'id', description: 'only of this call' },
  { name: 'tool', value: 'tool', description: 'only of this tool, such as `tool:files/read_text_file`' },
  { name: 'reason', value: 'reason', description: 'only with this reason, such as `policy-denied`' },
  { name: 'since', value: 'time', description: 'made at this time or later: `1h` ago, a day, or a time as ISO 8601' },
] as const;
