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

let count = 0;

export function callOf(options: CallOptions = {}): Call {
  count += 1;
  const agent = options.agent ?? 'demo';
  return {
    id: options.id ?? `call-${count}`,
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

/** A clock that a test sets: `passMs` advances both clocks, `jumpMs` only the calendar clock. */
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

/** Runs one control on a call as the pipeline does: gathers, then decides on the facts. */
export function runControl<Facts extends JsonObject>(
  control: Control<Facts>,
  call: Call,
): { readonly facts: Facts; readonly verdict: Verdict } {
  const facts = control.gather({ call }, { signal: new AbortController().signal });
  if (facts instanceof Promise) throw new Error('a limit must gather synchronously');
  return { facts, verdict: control.decide({ call }, facts) };
}

/** Number of `count` calls in sequence that the control admits. */
export function admittedOf<Facts extends JsonObject>(control: Control<Facts>, count: number, make: () => Call): number {
  let admitted = 0;
  for (let index = 0; index < count; index += 1) {
    if (runControl(control, make()).verdict.effect === 'allow') admitted += 1;
  }
  return admitted;
}

/** A store in memory. */
export function rowStore(rows: readonly BudgetRow[] = []): BudgetStore & { readonly rows: Map<string, BudgetRow> } {
  const stored = new Map(rows.map((row) => [row.key, row]));
  return { rows: stored, load: () => [...stored.values()], put: (row) => void stored.set(row.key, row) };
}

export const COMPLETED: Outcome = { kind: 'completed', result: {}, resultBytes: 2 };

export function refusedAt(stage: 'validate-output' | 'ledger' | 'authorize'): Outcome {
  const reason = stage === 'ledger' ? 'ledger-unavailable' : 'control-failed';
  return { kind: 'refused', stage, effect: 'deny', reason, message: 'refused', visible: true };
}

export function failedWith(reason: 'upstream-unavailable' | 'upstream-timeout' | 'upstream-error'): Outcome {
  return { kind: 'failed', reason, message: 'failed', inDoubt: reason === 'upstream-timeout' };
}
