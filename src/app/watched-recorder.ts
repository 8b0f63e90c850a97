import type { Recorder } from '../broker/recorder.ts';
import type { Call } from '../domain/call.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Log } from '../telemetry/log.ts';

/** The recorder, and one log line for each call when its record is durable: what an operator watches. */
export function loggingRecorder(recorder: Recorder, log: Log): Recorder {
  const logCall = (call: Call, outcome: Outcome, durationMs?: number): void => {
    log.info(`call.${outcome.kind}`, {
      principal: call.principal.id,
      target: call.target.id,
      ...('reason' in outcome ? { reason: outcome.reason } : {}),
      ...(outcome.kind === 'refused' && outcome.rule !== undefined ? { rule: outcome.rule } : {}),
      ...(durationMs === undefined ? {} : { durationMs }),
      callId: call.id,
    });
  };
  return {
    admitted: (decided) => recorder.admitted(decided),
    refused: async (decided, refusal) => {
      await recorder.refused(decided, refusal);
      logCall(decided.call, refusal);
    },
    closed: async (ended) => {
      await recorder.closed(ended);
      logCall(ended.call, ended.outcome, ended.durationMs);
    },
    malformed: (message) => recorder.malformed(message),
  };
}
