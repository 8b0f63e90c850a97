import type { JsonValue } from '../lib/json/json.ts';

/** The fields of every event that the log may hold, by the event's name. */
export interface LogEvents {
  'auth.failed': Fields<'reason'>;
  'breaker.closed': Fields<'server'>;
  'breaker.opened': Fields<'server'>;
  'call.completed': Fields<CallField, 'durationMs'>;
  'call.failed': Fields<CallField | 'reason', 'durationMs'>;
  'call.in-doubt': Fields<'callId' | 'target'>;
  'call.input-required': Fields<CallField, 'durationMs'>;
  'call.internal-error': Fields<'callId' | 'error'>;
  'call.refused': Fields<CallField | 'reason', 'durationMs' | 'rule'>;
  'change.failed': Fields<'error'>;
  'clock.jumped': Fields<'offsetMs'>;
  'control.failed': Fields<'control' | 'error'>;
  'dispatch.internal-error': Fields<'callId' | 'error'>;
  'identity.failed': Fields<'error'>;
  'ingress.failed': Fields<'error', 'method'>;
  'ledger.unavailable': Fields<'error', 'kind'>;
  'limit.warned': Fields<'rule' | 'subject' | 'window' | 'usedCalls' | 'usedNanoUsd' | 'sharePercent'>;
  'loop.stalled': Fields<'longestMs'>;
  'policy.applied': Fields<'revision'>;
  'registry.applied': Fields<'registry'>;
  'registry.warning': Fields<'problem'>;
  'reload.recovered': Fields<'revision'>;
  'reload.refused': Fields<'problem'>;
  'secret.exposed': Fields<'server' | 'problem'>;
  'server.unavailable': Fields<'server' | 'error'>;
  'storage.defect': Fields<'error'>;
  'tool.drifted': Fields<'tool' | 'status' | 'reason'>;
  'tool.quarantined': Fields<'status', 'tool' | 'reason' | 'server' | 'tools' | 'hint'>;
  'upstream.failed': Fields<'server' | 'error' | 'stderrBytes'>;
}

type CallField = 'principal' | 'target' | 'callId';
type Fields<RequiredNames extends string, OptionalNames extends string = never> = {
  readonly [Field in RequiredNames]: JsonValue;
} & { readonly [Field in OptionalNames]?: JsonValue };

/** Name of an event, as noun and verb. */
export type LogEvent = keyof LogEvents;

/** What an event tells, and what each of its fields holds. */
export type LogEventDescription<Event extends LogEvent> = {
  readonly level: 'info' | 'warn' | 'error';
  readonly means: string;
  readonly fields: { readonly [Field in keyof Required<LogEvents[Event]>]: string };
};

const ERROR = 'what was thrown, in its own words';
const ERROR_CLASS = 'the class of what was thrown; its words could hold what may not be logged';
const CALL = {
  principal: 'who called: `agent:…`',
  target: 'id of the tool, prompt or resource, or such as `tool:unknown`',
  callId: 'id of the call: the `decisionId` of its reply',
};
const DURATION = { durationMs: 'milliseconds from the message to the outcome; absent where nothing was sent' };
const REASON = { reason: 'why, as the page of [reasons](reasons.md#reasons) has it' };
const TOOL_STATUS = { status: '`drifted`, `pin-corrupt`, `unpinned` or `quarantined`' };

/** The meaning of every event. The `Log` admits no other; `docs/reference/log-events.md` is made of it. */
export const LOG_EVENTS: { readonly [Event in LogEvent]: LogEventDescription<Event> } = {
  'auth.failed': {
    level: 'warn',
    means: 'An HTTP request could not be authenticated; it was answered with 401.',
    fields: { reason: 'what was wrong with the key, never the key' },
  },
  'breaker.closed': {
    level: 'info',
    means: 'A tool server that had failed responded again; calls are sent to it.',
    fields: { server: 'name of the server' },
  },
  'breaker.opened': {
    level: 'warn',
    means: 'A tool server failed repeatedly; no calls are sent to it, except one from time to time to test it.',
    fields: { server: 'name of the server' },
  },
  'call.completed': {
    level: 'info',
    means: 'A call was made and its result passed on; the record is durable.',
    fields: { ...CALL, ...DURATION },
  },
  'call.failed': {
    level: 'info',
    means: 'A call was sent, or was to be sent, and failed; the record is durable.',
    fields: { ...CALL, ...REASON, ...DURATION },
  },
  'call.in-doubt': {
    level: 'warn',
    means:
      'At the start: an earlier broker ended between the intent and the outcome of this call, or while it waited for an answer.',
    fields: { callId: CALL.callId, target: CALL.target },
  },
  'call.input-required': {
    level: 'info',
    means: 'A question of the tool server interrupted a call; another call goes on with it. The record is durable.',
    fields: { ...CALL, ...DURATION },
  },
  'call.internal-error': {
    level: 'error',
    means: 'An internal error ended a call, which was refused as `control-failed`.',
    fields: { callId: CALL.callId, error: ERROR },
  },
  'call.refused': {
    level: 'info',
    means: 'A call was refused, or its result withheld; the record is durable.',
    fields: {
      ...{ ...CALL, ...REASON, ...DURATION },
      rule: 'the line that decided, such as `policy.csv:12`; absent where no line did',
    },
  },
  'change.failed': {
    level: 'error',
    means: 'A change of what is in force could not be made; the old state stays.',
    fields: { error: ERROR },
  },
  'clock.jumped': {
    level: 'warn',
    means: "The machine's clock was set while the broker runs; budgets count on by the monotonic clock.",
    fields: { offsetMs: 'milliseconds between the two clocks' },
  },
  'control.failed': {
    level: 'error',
    means: 'A control threw; the call was refused as `control-failed`.',
    fields: { control: 'name of the control', error: ERROR },
  },
  'dispatch.internal-error': {
    level: 'error',
    means: 'An internal error ended a call after it was sent; the call is in doubt.',
    fields: { callId: CALL.callId, error: ERROR },
  },
  'identity.failed': {
    level: 'error',
    means: 'The verifier of keys threw; the request was answered with 503.',
    fields: { error: ERROR_CLASS },
  },
  'ingress.failed': {
    level: 'error',
    means: 'A defect of a door, or an error of its socket; the request got an internal error.',
    fields: { error: ERROR_CLASS, method: 'the method that was asked, where one was read' },
  },
  'ledger.unavailable': {
    level: 'error',
    means: 'An entry could not be made durable. Of a call: it was refused as `ledger-unavailable`.',
    fields: { error: ERROR, kind: 'the kind of the entry, of an act of the house' },
  },
  'limit.warned': {
    level: 'warn',
    means: 'A budget reached its `soft` share, once in each window.',
    fields: {
      rule: 'the line of the budget, such as `limits.yaml:9`',
      subject: 'whose counter it is',
      window: 'its window, such as `day`',
      usedCalls: 'calls charged in the window',
      usedNanoUsd: 'nano-dollars charged in the window',
      sharePercent: 'the share that was reached, in percent',
    },
  },
  'loop.stalled': {
    level: 'warn',
    means: 'The broker did nothing else for 250 ms or longer, once or more in the last ten seconds: every call waited.',
    fields: { longestMs: 'the longest such time in milliseconds' },
  },
  'policy.applied': {
    level: 'info',
    means: 'Changed policies are in force.',
    fields: { revision: 'digest of the texts that decide from now on' },
  },
  'registry.applied': {
    level: 'info',
    means: 'A changed registry is in force.',
    fields: { registry: 'digest of the registry and its lock' },
  },
  'registry.warning': {
    level: 'warn',
    means: 'The registry holds something that is admitted and should be looked at.',
    fields: { problem: 'place, message, code and hint' },
  },
  'reload.recovered': {
    level: 'info',
    means: 'Files that were refused can be loaded again.',
    fields: { revision: 'digest of the texts that decide from now on' },
  },
  'reload.refused': {
    level: 'error',
    means: 'Changed files cannot be loaded; what was in force stays. One event for each problem.',
    fields: { problem: 'place, message, code and hint' },
  },
  'secret.exposed': {
    level: 'warn',
    means: 'A secret file can be read by other users of the machine.',
    fields: { server: 'name of the server that refers to it', problem: 'place, message, code and hint' },
  },
  'server.unavailable': {
    level: 'warn',
    means: 'A tool server was asked for its tools and gave none.',
    fields: { server: 'name of the server', error: 'why, in the words of the broker' },
  },
  'storage.defect': {
    level: 'error',
    means: 'The thread that writes the database met an error that no write asked for.',
    fields: { error: ERROR },
  },
  'tool.drifted': {
    level: 'warn',
    means: 'A tool differs from what was agreed to, or its pin is corrupt; it is hidden and blocked.',
    fields: { ...TOOL_STATUS, tool: '`tool:<server>/<tool>`', reason: 'what differs' },
  },
  'tool.quarantined': {
    level: 'warn',
    means: 'Tools cannot be called: one that is not admitted, or all of a server that nobody has agreed to.',
    fields: {
      ...TOOL_STATUS,
      tool: '`tool:<server>/<tool>`, of one tool',
      reason: 'why it is not admitted, of one tool',
      server: 'name of the server, of unpinned tools',
      tools: 'how many unpinned tools the server has',
      hint: 'the command that agrees to them',
    },
  },
  'upstream.failed': {
    level: 'warn',
    means: 'A session with a tool server could not be opened, or broke.',
    fields: {
      server: 'name of the server',
      error: 'why, in the words of the broker',
      stderrBytes: 'how many bytes the process wrote to its standard error last; the text is not logged',
    },
  },
};
