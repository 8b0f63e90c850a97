import type { JsonValue } from '../lib/json/json.ts';

/** Fields of every log event, by event name. */
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

/** Name of an event: noun.verb. */
export type LogEvent = keyof LogEvents;

/** Description of an event and its fields, for the reference. */
export type LogEventDescription<Event extends LogEvent> = {
  readonly level: 'info' | 'warn' | 'error';
  readonly means: string;
  readonly fields: { readonly [Field in keyof Required<LogEvents[Event]>]: string };
};

const ERROR = 'message of the error';
const ERROR_CLASS = 'class of the error; its message could contain data that must not be logged';
const CALL = {
  principal: 'principal of the call: `agent:…`',
  target: 'id of the tool, prompt or resource; `tool:unknown` and the like for an unknown name',
  callId: 'id of the call: the `decisionId` of its reply',
};
const DURATION = { durationMs: 'milliseconds from the message to the outcome; absent if nothing was sent' };
const REASON = { reason: 'reason code, see [reasons](reasons.md#reasons)' };
const TOOL_STATUS = { status: '`drifted`, `pin-corrupt`, `unpinned` or `quarantined`' };

/** Every log event. `Log` accepts no other; `docs/reference/log-events.md` is generated from this table. */
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
    means: 'A call was completed and its result passed on; the record is durable.',
    fields: { ...CALL, ...DURATION },
  },
  'call.failed': {
    level: 'info',
    means: 'A call was admitted and failed, before or after it was sent; the record is durable.',
    fields: { ...CALL, ...REASON, ...DURATION },
  },
  'call.in-doubt': {
    level: 'warn',
    means:
      'At the start: the previous broker process ended between the intent and the outcome of this call, or while it waited for an input response.',
    fields: { callId: CALL.callId, target: CALL.target },
  },
  'call.input-required': {
    level: 'info',
    means: 'An input request of the tool server suspended a call; a retry continues it. The record is durable.',
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
      ...CALL,
      ...REASON,
      ...DURATION,
      rule: 'the line that decided, such as `policy.csv:12`; absent if none did',
    },
  },
  'change.failed': {
    level: 'error',
    means: 'Changed files could not be applied because of an error; the active snapshot stays.',
    fields: { error: ERROR },
  },
  'clock.jumped': {
    level: 'warn',
    means: "The machine's clock was set while the broker runs; budgets continue by the monotonic clock.",
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
    means: 'Verifying a key failed with an error; the response was 503.',
    fields: { error: ERROR_CLASS },
  },
  'ingress.failed': {
    level: 'error',
    means: 'An internal error of an endpoint, or an error of its socket; the response was an internal error.',
    fields: { error: ERROR_CLASS, method: 'method of the request, if it was read' },
  },
  'ledger.unavailable': {
    level: 'error',
    means:
      'An entry could not be made durable. If it was that of a call, the call was refused as `ledger-unavailable`.',
    fields: { error: ERROR, kind: 'kind of the entry, if it is a system event' },
  },
  'limit.warned': {
    level: 'warn',
    means: 'A budget reached its `soft` share, once in each window.',
    fields: {
      rule: 'the line of the budget, such as `limits.yaml:9`',
      subject: 'subject of the counter',
      window: 'window of the counter, such as `day`',
      usedCalls: 'calls charged in the window',
      usedNanoUsd: 'nano-dollars charged in the window',
      sharePercent: 'the share that was reached, in percent',
    },
  },
  'loop.stalled': {
    level: 'warn',
    means:
      'The event loop was blocked for 250 ms or longer, once or more in the last ten seconds; every call waited for it.',
    fields: { longestMs: 'the longest block in milliseconds' },
  },
  'policy.applied': {
    level: 'info',
    means: 'Changed policies are active.',
    fields: { revision: 'revision of the policies that decide from now on' },
  },
  'registry.applied': {
    level: 'info',
    means: 'A changed registry is active.',
    fields: { registry: 'digest of the registry and its lock' },
  },
  'registry.warning': {
    level: 'warn',
    means: 'The registry is valid but has a problem that needs attention.',
    fields: { problem: 'position, message, code and hint' },
  },
  'reload.recovered': {
    level: 'info',
    means: 'Files that were refused are valid again.',
    fields: { revision: 'revision of the policies that decide from now on' },
  },
  'reload.refused': {
    level: 'error',
    means: 'Changed files cannot be loaded; the active snapshot stays. One event for each problem.',
    fields: { problem: 'position, message, code and hint' },
  },
  'secret.exposed': {
    level: 'warn',
    means: 'A secret file is readable by other users of the machine.',
    fields: { server: 'name of the server that refers to it', problem: 'position, message, code and hint' },
  },
  'server.unavailable': {
    level: 'warn',
    means: 'The features of a tool server could not be listed.',
    fields: { server: 'name of the server', error: 'reason, in the words of the broker' },
  },
  'storage.defect': {
    level: 'error',
    means: 'The thread that writes the database failed outside of any write.',
    fields: { error: ERROR },
  },
  'tool.drifted': {
    level: 'warn',
    means: 'A tool differs from its pin, or the pin is corrupt; the tool is hidden and blocked.',
    fields: { ...TOOL_STATUS, tool: '`tool:<server>/<tool>`', reason: 'the difference' },
  },
  'tool.quarantined': {
    level: 'warn',
    means: 'Tools are blocked: one tool that is not admitted, or all unpinned tools of a server.',
    fields: {
      ...TOOL_STATUS,
      tool: '`tool:<server>/<tool>`, for one tool',
      reason: 'reason why it is not admitted, for one tool',
      server: 'name of the server, for unpinned tools',
      tools: 'number of unpinned tools of the server',
      hint: 'command that pins them',
    },
  },
  'upstream.failed': {
    level: 'warn',
    means: 'A session with a tool server could not be opened, or failed.',
    fields: {
      server: 'name of the server',
      error: 'reason, in the words of the broker',
      stderrBytes: 'bytes at the end of the standard error of the process; the text is not logged',
    },
  },
};
