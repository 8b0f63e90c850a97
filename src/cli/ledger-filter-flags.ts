/** Which entries of the ledger a command shows; what it is not told it does not filter by. */
export const LEDGER_FILTER_FLAGS = [
  { name: 'agent', value: 'agent', what: 'only of this agent' },
  { name: 'kind', value: 'kind', what: 'only of this kind, such as `call.refused`' },
  { name: 'call', value: 'id', what: 'only of this call' },
  { name: 'tool', value: 'tool', what: 'only of this tool, such as `tool:files/read_text_file`' },
  { name: 'reason', value: 'reason', what: 'only with this reason, such as `policy-denied`' },
  { name: 'since', value: 'time', what: 'made at this time or later: `1h` ago, a day, or a time as ISO 8601' },
] as const;
