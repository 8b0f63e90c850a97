import type { Call } from '../../../src/domain/call.ts';
import type { Control } from '../../../src/domain/control.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { ToolTarget } from '../../../src/domain/target.ts';
import type { Verdict } from '../../../src/domain/verdict.ts';
import { createPrincipal } from '../../../src/identity/principal.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import type { Clock } from '../../../src/lib/time.ts';
import type { BudgetRow, BudgetStore } from '../../../src/limits/budget/store.ts';

/** 2026-03-14T12:00:00Z, a Saturday. */
export const NOON_MS: number = Date.UTC(2026, 2, 14, 12);

export interface CallOptions {
  readonly id?: string;
  readonly agent?: string;
  /** Roles and teams after the agent. */
  readonly groups?: readonly string[];
  readonly action?: Call['action'];
  readonly tool?: `${string}/${string}`;
  readonly costNanoUsd?: number;
}

let made = 0;

export function callOf(options: CallOptions = {}): Call {
  made += 1;
  const agent = options.agent ?? 'demo';
  return {
    id: options.id ?? `call-${made}`,
    principal: createPrincipal({ name: agent, owner: 'ana' }, { by: 'api-key', credentialId: 'k1' }),
    subjects: [`agent:${agent}`, ...(options.groups ?? [])],
    action: options.action ?? 'call',
    target: targetOf(options),
    args: {},
    context: { transport: 'http', protocolVersion: '2025-11-25', session: 'stateless' },
    receivedAtMs: NOON_MS,
  };
}

function targetOf({ tool = 'crm/refund', costNanoUsd = 0 }: CallOptions): ToolTarget {
  const [server = '', name = ''] = tool.split('/');
  return {
    kind: 'tool',
    id: `tool:${tool}`,
    server,
    tool: name,
    exposedName: `${server}__${name}`,
    risk: 'read',
    labels: [],
    costNanoUsd,
    timeoutMs: 1_000,
    maxResultBytes: 1_000,
    payloads: 'digest',
    definitionDigest: digestOf(tool),
    definition: {},
    inputSchema: {},
  };
}

/** A clock that a test sets: `passMs` moves both hands, `jumpMs` the calendar hand alone. */
export class SetClock implements Clock {
  #wallMs: number;
  #monotonicMs = 5_000;
  constructor(wallMs: number = NOON_MS) {
    this.#wallMs = wallMs;
  }
  wallMs(): number {
    return this.#wallMs;
  }
  monotonicMs(): number {
    return this.#monotonicMs;
  }
  passMs(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }
  jumpMs(ms: number): void {
    this.#wallMs += ms;
  }
}

/** Walks a call through one control as the hall does: gather, then decide on what was gathered. */
export function walk<Facts extends JsonObject>(
  control: Control<Facts>,
  call: Call,
): { readonly facts: Facts; readonly verdict: Verdict } {
  const facts = control.gather({ call }, { signal: new AbortController().signal });
  if (facts instanceof Promise) throw new Error('a limit gathers without waiting');
  return { facts, verdict: control.decide({ call }, facts) };
}

/** How many of `count` calls, one after the other, the control admits. */
export function admittedOf<Facts extends JsonObject>(control: Control<Facts>, count: number, make: () => Call): number {
  let admitted = 0;
  for (let index = 0; index < count; index += 1) {
    if (walk(control, make()).verdict.effect === 'allow') admitted += 1;
  }
  return admitted;
}

/** Rows in memory, as a database would hold them. */
export function rowStore(rows: readonly BudgetRow[] = []): BudgetStore & { readonly rows: Map<string, BudgetRow> } {
  const kept = new Map(rows.map((row) => [row.key, row]));
  return { rows: kept, load: () => [...kept.values()], put: (row) => void kept.set(row.key, row) };
}

export const COMPLETED: Outcome = { kind: 'completed', result: {}, resultBytes: 2 };

export function refusedAt(stage: 'validate-output' | 'ledger' | 'walk'): Outcome {
  const reason = stage === 'ledger' ? 'ledger-unavailable' : 'control-failed';
  return { kind: 'refused', stage, effect: 'deny', reason, message: 'refused', visible: true };
}

export function failedWith(reason: 'upstream-unavailable' | 'upstream-timeout' | 'upstream-error'): Outcome {
  return { kind: 'failed', reason, message: 'failed', inDoubt: reason === 'upstream-timeout' };
}
