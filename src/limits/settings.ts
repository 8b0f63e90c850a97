import { z } from 'zod';
import { withFormat } from '../config/schema.ts';
import { ACTIONS, type Action } from '../domain/call.ts';
import { CALENDAR_WINDOWS, type CalendarWindow } from './calendar-window.ts';

/** The columns that every row has. */
export interface LimitRowSettings {
  readonly subject: string;
  readonly resource: string;
  readonly action: Action | '*';
}

/** A row of `rates`. */
export interface RateSettings extends LimitRowSettings {
  readonly limit: string;
  readonly burst?: number | undefined;
}

/** A row of `concurrency`. */
export interface ConcurrencySettings extends LimitRowSettings {
  readonly limit: number;
}

/** A row of `budgets`. */
export interface BudgetSettings extends LimitRowSettings {
  readonly window: CalendarWindow;
  readonly hard: { readonly calls?: number | undefined; readonly usd?: string | undefined };
  readonly soft: string;
}

/** A checked `limits.yaml`, as written. */
export interface LimitsSettings {
  readonly rates: readonly RateSettings[];
  readonly concurrency: readonly ConcurrencySettings[];
  readonly budgets: readonly BudgetSettings[];
}

const subjectText = z
  .string()
  .regex(/^(?:\*|(?:agent|role|team):[^\s]+)$/)
  .describe(
    'Whose calls are counted: a glob such as `agent:*` (each agent alone), `role:support` or `team:crm` (their members together), or `*`.',
  );

const subject = withFormat(subjectText, 'glob of subjects');

const resourceText = z
  .string()
  .regex(/^(?:\*|(?:tool|prompt|resource):[^\s]+)$/)
  .describe(
    'What is called: a glob such as `tool:crm/*`, `tool:crm/refund`, `prompt:crm/*`, `resource:files/*`, or `*`. Write a URI in its normal form.',
  );

const resource = withFormat(resourceText, 'glob of tools');

const action = z
  .enum([...ACTIONS, '*'])
  .default('*')
  .describe('Action on the resource, such as `call`; `*` is every action. Default: `*`.');

const count = z.number().int().min(1).max(1_000_000_000);

const rate = z
  .strictObject({
    subject,
    resource,
    action,
    limit: withFormat(
      z
        .string()
        .regex(/^[1-9]\d{0,8}\/[smhd]$/)
        .describe('Calls per second, minute, hour or day, such as `600/m`, `10/s`, `5/h`, `1000/d`.'),
      'calls per unit of time',
    ),
    burst: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Calls at once after a pause. Default: a tenth of the calls of `limit`, rounded up.'),
  })
  .describe('A rate: evenly paced calls with a burst.');

const concurrency = z
  .strictObject({ subject, resource, action, limit: count.describe('Calls in flight at one time, at least 1.') })
  .describe('A concurrency limit: calls in flight at one time.');

const hard = z
  .strictObject({
    calls: count.optional().describe('Calls per window, at least 1. Default: not limited.'),
    usd: withFormat(z.string().regex(/^\d{1,7}(?:\.\d{1,9})?$/), 'US dollars, quoted')
      .optional()
      .describe(
        'Dollars per window as quoted text with at most nine decimals, such as `"5.00"`. Default: not limited.',
      ),
  })
  .describe('The limit that refuses calls: `calls`, `usd` or both.');

const budget = z
  .strictObject({
    subject,
    resource,
    action,
    window: z
      .enum(CALENDAR_WINDOWS)
      .describe('The calendar window in UTC: second, minute, hour, day, week (from Monday) or month.'),
    hard,
    soft: withFormat(z.string().regex(/^(?:[1-9]\d?|100)%$/), 'percent, `1%` to `100%`')
      .default('80%')
      .describe('The share of a hard amount at which one warning is logged. Default: `80%`.'),
  })
  .describe('A budget: calls and money per calendar window.');

/** The format of `policies/limits.yaml`. Every list may be absent; a call that matches no row is not limited. */
export const limitsSettings: z.ZodType<LimitsSettings> = z
  .strictObject({
    rates: z.array(rate).default([]).describe('Calls per time. Default: none.'),
    concurrency: z.array(concurrency).default([]).describe('Calls in flight at one time. Default: none.'),
    budgets: z.array(budget).default([]).describe('Calls and money per calendar window. Default: none.'),
  })
  .describe('Limits: all rows that match a call apply, and the strictest decides.');
