import type {
  AdmittedEntry,
  ClosedEntry,
  CommonFields,
  DecisionFields,
  EntryKind,
  InDoubtEntry,
  MessageRefusedEntry,
  RecordedStep,
  RecordedTarget,
  RefusedEntry,
  SummedEntry,
  SystemDetails,
  SystemEntry,
  SystemKind,
} from './entry.ts';

/** A meaning for each field, also for those that may be absent; the type checker keeps it in step with the entry. */
export type FieldDescriptions<Type> = { readonly [Field in FieldOf<Type>]: string };
/** Names of the fields of a type, of each alternative where it is a union. */
type FieldOf<Type> = Type extends unknown ? keyof Type & string : never;
type OwnFields<Type> = FieldDescriptions<Omit<Type, keyof CommonFields<EntryKind>>>;

const RULE = 'The line that decided, such as `policy.csv:12`; absent where no line did';
const REASON = 'A reason of the page [Reasons](reasons.md#reasons)';
const ACTION =
  'The action that was asked: `call` of a tool, `get` of a prompt, `read` of a resource, `complete`, or what a server asked: `elicit`, `sample`, `roots`';
const CALL_ID = 'UUIDv7; the `decisionId` of the reply';
const CONTEXT =
  'How it came: `transport` (`http` or `stdio`), `protocolVersion`, and `traceparent` where the agent sent one';
const CREDENTIAL = 'What proved the agent, never a secret: `id` (id of the key, or `uid:<number>`) and `proof`';
const PROBLEMS = 'The first twenty problems, each with its error code (`code`) and place (`at`)';
const REVISION_FIELDS = { from: 'Digest before', to: 'Digest from then on' };
const KEY_FIELDS = { id: 'Id of the key, never its secret', agent: '`agent:…` that the key proves' };
const ALERT_FIELDS = {
  tool: 'Id of the tool, prompt or resource template',
  status: 'How it stands, as `registry list` says it',
  reason: 'Why, in one sentence',
  agreedDigest: 'Digest of the definition that was agreed to; absent where none was',
  observedDigest: 'Digest of the definition that the server declares; absent where it declares none',
};

/** What every entry says. */
export const COMMON_ENTRY_FIELDS: FieldDescriptions<CommonFields<EntryKind>> = {
  v: 'Version of the format: 1',
  kind: 'What the entry is: a heading of this page',
  atMs: 'Milliseconds since 1970 of the calendar clock when the entry was made',
  principal: '`agent:…`; `system:broker` or `os-user:<uid>` for acts of the house',
  session: "The broker's own session id, `stateless`, or `none` for acts of the house",
  revision: 'Digest of the policy set in force; null before the first one is',
  registry: 'Digest of registry and lock in force; null before the first one is',
};

const DECIDED_FIELDS: FieldDescriptions<DecisionFields> = {
  callId: CALL_ID,
  causedBy: 'Of the question of a tool server: id of the call that it was at work on; absent otherwise',
  action: ACTION,
  argsDigest: 'Salted digest of the arguments',
  context: CONTEXT,
  credential: CREDENTIAL,
  steps: 'What each control of the request row saw and said, in their order; see [Steps](#steps)',
  subjects: 'Every subject that the agent was: `agent:…`, its roles, `team:…`',
  target: 'What was called; see [Target](#target)',
};

/** What the entries of calls and messages say beyond what every entry says. */
export const CALL_FIELDS: {
  readonly 'call.admitted': OwnFields<AdmittedEntry>;
  readonly 'call.refused': OwnFields<RefusedEntry>;
  readonly 'call.closed': OwnFields<ClosedEntry>;
  readonly 'call.in-doubt': OwnFields<InDoubtEntry>;
  readonly 'call.refusals-summed': OwnFields<SummedEntry>;
  readonly 'message.refused': OwnFields<MessageRefusedEntry>;
} = {
  'call.admitted': DECIDED_FIELDS,
  'call.refused': {
    ...DECIDED_FIELDS,
    stage: 'The control that decided, `ledger` where the intent could not be written, or `walk`',
    reason: REASON,
    message: 'The sentence that the agent was told, at most 1,000 characters',
    rule: RULE,
    retryAfterMs: 'Milliseconds after which a try may succeed, of rates and budgets',
  },
  'call.closed': {
    callId: CALL_ID,
    action: ACTION,
    target: 'Id of the target; the rest of it stands in `call.admitted`',
    admittedAtMs: 'Milliseconds since 1970 at which the call was received',
    durationMs: 'Milliseconds from there to the outcome, by the monotonic clock',
    costNanoUsd: 'What was charged, in nano-dollars',
    outcome:
      '`completed`, `failed`, `refused` where the call was made and its result withheld, or `input-required` where a question interrupted it and another call goes on; where none does, a second entry says how it ended',
    inDoubt: 'True where the tool server may have acted although no answer came',
    steps: 'What each control of the result row saw and said',
    stage: 'The control that withheld the result',
    reason: `${REASON}; absent where the call completed`,
    rule: RULE,
    message: 'The sentence that the agent was told; absent where the call completed',
    resultDigest: 'Salted digest of what came back, also where it was withheld',
    resultBytes: 'Size of the result in bytes, where the call completed',
  },
  'call.in-doubt': {
    callId: CALL_ID,
    action: ACTION,
    target: 'Id of the target',
    admittedAtMs: 'Milliseconds since 1970 at which the intent was written',
    reason: '`in-doubt`',
  },
  'call.refusals-summed': {
    of: '`call.refused` or `message.refused`',
    count: 'How many there were beyond the first, which has an entry of its own',
    fromMs: 'Where the second that was summed begins; it ends 1,000 ms later',
    reason: `${REASON}, of refused calls`,
    rule: RULE,
    code: 'JSON-RPC error code, of refused messages',
  },
  'message.refused': {
    context: CONTEXT,
    credential: CREDENTIAL,
    code: 'JSON-RPC error code that was answered',
    problem: 'What was wrong with the message; no part of it',
  },
};

/** What acts of the house say beyond what every entry says. */
export const SYSTEM_FIELDS: OwnFields<SystemEntry> = { detail: 'What is told of the act, by its kind' };

/** What `detail` holds, by kind. */
export const DETAIL_FIELDS: { readonly [Kind in SystemKind]: FieldDescriptions<SystemDetails[Kind]> } = {
  'key.created': {
    ...KEY_FIELDS,
    expiresAtMs: 'Milliseconds since 1970 at which it expires; absent where it does not',
  },
  'key.revoked': KEY_FIELDS,
  'policy.applied': REVISION_FIELDS,
  'policy.rejected': { problems: PROBLEMS },
  'registry.applied': REVISION_FIELDS,
  'registry.rejected': { problems: PROBLEMS },
  'server.added': { server: 'Name of the server', tools: 'How many of its tools were agreed to with it' },
  'tool.drifted': ALERT_FIELDS,
  'tool.pinned': {
    tool: ALERT_FIELDS.tool,
    from: 'Digest that was agreed to before; absent where none was',
    to: 'Digest that is agreed to from then on; absent where the tool was taken out of the lock',
  },
  'tool.quarantined': {
    ...ALERT_FIELDS,
    server: 'Name of the server, of all its tools that nobody has agreed to',
    count: 'How many they are',
    tools: 'Names of the first 200 of them',
  },
  'limit.warned': {
    rule: 'The line of the budget, such as `limits.yaml:9`',
    subject: 'Whose counter it is',
    window: 'Its window, such as `day`',
    usedCalls: 'Calls charged in the window',
    usedNanoUsd: 'Nano-dollars charged in the window',
    sharePercent: 'The share that was reached, in percent',
  },
  'clock.jumped': { offsetMs: "Milliseconds between the machine's calendar clock and that of the budgets" },
  'broker.started': { version: 'Version of the broker', pid: 'Its process id' },
  'broker.stopped': { why: 'Why it ended, in words' },
};

/** What a step says. */
export const STEP_FIELDS: FieldDescriptions<RecordedStep> = {
  control: 'Name of the control',
  effect: '`allow`, `deny`, `hold`, or `indeterminate` where the control failed',
  facts: 'What it saw of the world; see [Facts](#facts)',
  reason: `${REASON}; absent where it allowed`,
  rule: RULE,
};

/** What a recorded target says. */
export const TARGET_FIELDS: FieldDescriptions<RecordedTarget> = {
  id: '`tool:<server>/<tool>`, `prompt:<server>/<prompt>` or `resource:<server>/<uri>`; `tool:unknown`, `prompt:unknown` or `resource:unknown` where the name resolved to nothing',
  definitionDigest:
    'Digest of the definition in force, of what exists; of a resource that a template makes, that of the template',
  risk: '`read`, `write` or `destructive`, of what exists',
  exposedName: 'The name that was asked for, at most 256 characters, where it resolved to nothing',
  via: 'Where it was asked for, if on a path of its own: `view` (`server:<name>` or `virtual:<name>`), and `name`, what it is called there',
};

/** When an entry of a kind is written. */
export const KIND_DESCRIPTIONS: { readonly [Kind in EntryKind]: string } = {
  'call.admitted': 'The intent of a call: durable before anything leaves.',
  'call.refused': 'A call that was refused before anything left: its one entry.',
  'call.closed': 'How an admitted call ended: durable before the reply.',
  'call.in-doubt': 'Written at the start for a call that was admitted by an earlier broker and never closed.',
  'call.refusals-summed': 'Refusals of one agent, reason, rule and second beyond the first.',
  'message.refused': 'A message of a known agent that never became a call.',
  'key.created': 'A key was made.',
  'key.revoked': 'A key was ended.',
  'policy.applied': 'Changed policies are in force.',
  'policy.rejected': 'Changed policies could not be loaded; the old ones stay.',
  'registry.applied': 'A changed registry is in force.',
  'registry.rejected': 'A changed registry could not be loaded; the old one stays.',
  'server.added': 'A person added a server and agreed to its tools, prompts and resource templates.',
  'tool.drifted':
    'A tool, prompt or resource template differs from what was agreed to, or its pin is corrupt; it is blocked.',
  'tool.pinned': 'A person agreed to a definition, or took one that is gone out of the lock.',
  'tool.quarantined':
    'A tool, prompt or resource template is not admitted, or those of a server have not been agreed to.',
  'limit.warned': 'A budget reached its `soft` share, once in each window.',
  'clock.jumped': "The machine's clock was set while the broker runs.",
  'broker.started': 'A broker opened the data directory.',
  'broker.stopped': 'It closed the data directory in order.',
};
