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

/** A description of each field, including optional fields. The compiler requires one for every field of the entry. */
export type FieldDescriptions<Type> = { readonly [Field in FieldOf<Type>]: string };
/** Names of the fields of a type, of each alternative where it is a union. */
type FieldOf<Type> = Type extends unknown ? keyof Type & string : never;
type OwnFields<Type> = FieldDescriptions<Omit<Type, keyof CommonFields<EntryKind>>>;

const RULE = 'The line that decided, such as `policy.csv:12`; absent if no line did';
const REASON = 'A reason of the page [Reasons](reasons.md#reasons)';
const ACTION =
  'The requested action: `call` of a tool, `get` of a prompt, `read` of a resource, `complete`; or that of an input request: `elicit`, `sample`, `roots`';
const CALL_ID = 'UUIDv7; the `decisionId` of the reply';
const CONTEXT =
  'The connection: `transport` (`http` or `stdio`), `protocolVersion`, and `traceparent` if the agent sent one';
const CREDENTIAL = 'Credential of the agent, never a secret: `id` (id of the key, or `uid:<number>`) and `proof`';
const PROBLEMS = 'The first twenty problems, each with its error code (`code`) and place (`at`)';
const REVISION_FIELDS = { from: 'Digest before the change', to: 'Digest after the change' };
const KEY_FIELDS = { id: 'Id of the key, never its secret', agent: '`agent:…` that the key authenticates' };
const ALERT_FIELDS = {
  tool: 'Id of the tool, prompt or resource template',
  status: 'Its status, as in `registry list`',
  reason: 'Why, in one sentence',
  agreedDigest: 'Digest of the pinned definition; absent if it is not pinned',
  observedDigest: 'Digest of the definition that the server declares; absent if it declares none',
};

/** Descriptions of the fields of every entry. */
export const COMMON_ENTRY_FIELDS: FieldDescriptions<CommonFields<EntryKind>> = {
  v: 'Version of the format: 1',
  kind: 'Kind of the entry; each kind is a heading of this page',
  atMs: 'Time of the entry by the calendar clock, in milliseconds since 1970',
  principal: '`agent:…`; `system:broker` or `os-user:<uid>` for system events',
  session: "The broker's own session id, `stateless`, or `none` for system events",
  revision: 'Digest of the policy set in force; null before the first one',
  registry: 'Digest of registry and lock in force; null before the first one',
};

const DECIDED_FIELDS: FieldDescriptions<DecisionFields> = {
  callId: CALL_ID,
  causedBy: 'For an input request of a tool server: id of the call that caused it; absent otherwise',
  action: ACTION,
  argsDigest: 'Salted digest of the arguments',
  context: CONTEXT,
  credential: CREDENTIAL,
  steps: 'Facts and verdict of each request control, in order; see [Steps](#steps)',
  subjects: 'Every subject of the agent: `agent:…`, its roles, `team:…`',
  target: 'The target of the call; see [Target](#target)',
};

/** Descriptions of the fields of call and message entries. `COMMON_ENTRY_FIELDS` has the shared ones. */
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
    stage:
      'The control that refused; `ledger` if the intent could not be written; `walk` if the pipeline failed between two controls',
    reason: REASON,
    message: 'The message in the reply to the agent, at most 1,000 characters',
    rule: RULE,
    retryAfterMs: 'Milliseconds after which a retry may succeed, for rates and budgets',
  },
  'call.closed': {
    callId: CALL_ID,
    action: ACTION,
    target: 'Id of the target; `call.admitted` has its other fields',
    admittedAtMs: 'Time at which the call was received, in milliseconds since 1970',
    durationMs: 'Milliseconds from there to the outcome, by the monotonic clock',
    costNanoUsd: 'The charged cost, in nano-dollars',
    outcome:
      '`completed`; `failed`; `refused` if the tool was called and its result withheld; or `input-required` if an input request interrupted the call. Then another call continues it, or a second entry records its outcome',
    inDoubt: 'True if the tool may have taken effect although no response arrived',
    steps: 'Facts and verdict of each response control',
    stage: 'The control that withheld the result',
    reason: `${REASON}; absent if the call completed`,
    rule: RULE,
    message: 'The message in the reply to the agent; absent if the call completed',
    resultDigest: 'Salted digest of the result, also if it was withheld',
    resultBytes: 'Size of the result in bytes, if the call completed',
  },
  'call.in-doubt': {
    callId: CALL_ID,
    action: ACTION,
    target: 'Id of the target',
    admittedAtMs: 'Time at which the intent was written, in milliseconds since 1970',
    reason: '`in-doubt`',
  },
  'call.refusals-summed': {
    of: '`call.refused` or `message.refused`',
    count: 'Number of refusals without the first, which has its own entry',
    fromMs: 'Start of the aggregated second, in milliseconds since 1970; it ends 1,000 ms later',
    reason: `${REASON}, for refused calls`,
    rule: RULE,
    code: 'JSON-RPC error code, for refused messages',
  },
  'message.refused': {
    context: CONTEXT,
    credential: CREDENTIAL,
    code: 'JSON-RPC error code of the response',
    problem: 'The problem of the message, without any part of the message',
  },
};

/** Descriptions of the fields of system events. `COMMON_ENTRY_FIELDS` has the shared ones. */
export const SYSTEM_FIELDS: OwnFields<SystemEntry> = { detail: 'Details of the event, by its kind' };

/** Descriptions of the fields of `detail`, by kind. */
export const DETAIL_FIELDS: { readonly [Kind in SystemKind]: FieldDescriptions<SystemDetails[Kind]> } = {
  'key.created': {
    ...KEY_FIELDS,
    expiresAtMs: 'Time at which it expires, in milliseconds since 1970; absent if it does not expire',
  },
  'key.revoked': KEY_FIELDS,
  'policy.applied': REVISION_FIELDS,
  'policy.rejected': { problems: PROBLEMS },
  'registry.applied': REVISION_FIELDS,
  'registry.rejected': { problems: PROBLEMS },
  'server.added': { server: 'Name of the server', tools: 'Number of its tools that were pinned with it' },
  'tool.drifted': ALERT_FIELDS,
  'tool.pinned': {
    tool: ALERT_FIELDS.tool,
    from: 'Digest that was pinned before; absent if none was',
    to: 'Digest that is pinned from then on; absent if the tool was removed from the lock',
  },
  'tool.quarantined': {
    ...ALERT_FIELDS,
    server: 'Name of the server, in an entry for all its tools that are not pinned',
    count: 'Number of these tools',
    tools: 'Names of the first 200 of these tools',
  },
  'limit.warned': {
    rule: 'The line of the budget, such as `limits.yaml:9`',
    subject: 'Subject of the counter',
    window: 'Window of the budget, such as `day`',
    usedCalls: 'Calls charged in the window',
    usedNanoUsd: 'Nano-dollars charged in the window',
    sharePercent: 'The share that was reached, in percent',
  },
  'clock.jumped': { offsetMs: "Milliseconds between the machine's calendar clock and that of the budgets" },
  'broker.started': { version: 'Version of the broker', pid: 'Its process id' },
  'broker.stopped': { why: 'Why it stopped, in words' },
};

/** Descriptions of the fields of a step. */
export const STEP_FIELDS: FieldDescriptions<RecordedStep> = {
  control: 'Name of the control',
  effect: '`allow`, `deny`, `hold`, or `indeterminate` if the control failed',
  facts: 'The facts that it decided by; see [Facts](#facts)',
  reason: `${REASON}; absent if it allowed`,
  rule: RULE,
};

/** Descriptions of the fields of a recorded target. */
export const TARGET_FIELDS: FieldDescriptions<RecordedTarget> = {
  id: '`tool:<server>/<tool>`, `prompt:<server>/<prompt>` or `resource:<server>/<uri>`; `tool:unknown`, `prompt:unknown` or `resource:unknown` if the name did not resolve',
  definitionDigest:
    'Digest of the definition in force, if the target exists; for a resource of a template, the digest of the template',
  risk: '`read`, `write` or `destructive`, if the target exists',
  exposedName: 'The requested name, at most 256 characters, if it did not resolve',
  via: 'The view, if the request did not come through the path of all features: `view` (`server:<name>` or `virtual:<name>`), and `name`, the name in that view',
};

/** Descriptions of the kinds of entries. */
export const KIND_DESCRIPTIONS: { readonly [Kind in EntryKind]: string } = {
  'call.admitted': 'The intent of a call: durable before dispatch.',
  'call.refused': 'A call that was refused before dispatch: its only entry.',
  'call.closed': 'The outcome of an admitted call: durable before the reply.',
  'call.in-doubt': 'Written at the start of the broker for a call that was admitted earlier and has no outcome.',
  'call.refusals-summed':
    'Aggregated refusals of one agent, reason, rule and second, without the first, which has its own entry.',
  'message.refused': 'A message of a known agent that did not become a call.',
  'key.created': 'A key was created.',
  'key.revoked': 'A key was revoked.',
  'policy.applied': 'Changed policies are in force.',
  'policy.rejected': 'Changed policies could not be loaded; the previous ones stay in force.',
  'registry.applied': 'A changed registry is in force.',
  'registry.rejected': 'A changed registry could not be loaded; the previous one stays in force.',
  'server.added': 'A person added a server and pinned its tools, prompts and resource templates.',
  'tool.drifted':
    'A tool, prompt or resource template differs from its pinned definition, or its pin is corrupt; it is blocked.',
  'tool.pinned': 'A person pinned a definition, or removed one from the lock that the server no longer declares.',
  'tool.quarantined': 'A tool, prompt or resource template is not admitted, or the tools of a server are not pinned.',
  'limit.warned': 'A budget reached its `soft` share; once in each window.',
  'clock.jumped': "The machine's clock was set while the broker was running.",
  'broker.started': 'A broker opened the data directory.',
  'broker.stopped': 'The broker stopped in order and closed the data directory.',
};
