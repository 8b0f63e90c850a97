import { overloadFailureMode } from '../broker/overload.ts';
import { ledgerFailureMode } from '../broker/recorder.ts';
import { subscriptionsFailureMode } from '../broker/resource-subscriptions.ts';
import { controlFailureMode } from '../broker/step.ts';
import type { FailureMode } from '../domain/posture.ts';
import { connectionsFailureMode } from '../ingress/connection-limits.ts';
import { hostFailureModes } from '../ingress/host-guard.ts';
import { pipeliningFailureMode } from '../ingress/in-turn.ts';
import { httpFailureModes } from '../ingress/mcp/http-endpoint.ts';
import { paramHeadersFailureMode } from '../ingress/mcp/param-headers.ts';
import { socketFailureMode } from '../ingress/socket.ts';
import { budgetFailureMode } from '../limits/budget.ts';
import { budgetStoreFailureMode } from '../limits/budget-store.ts';
import { concurrencyFailureMode } from '../limits/concurrency.ts';
import { rateFailureMode } from '../limits/rate.ts';
import { rateStoreFailureMode } from '../limits/rate-state.ts';
import {
  authorizeFailureMode,
  unknownPromptFailureMode,
  unknownResourceFailureMode,
  unknownToolFailureMode,
} from '../policy/authorize.ts';
import { requestStateFailureMode } from '../questions/request-state.ts';
import { suspendedCallsFailureMode } from '../questions/suspensions.ts';
import { pinFailureMode, schemaAdmissionFailureMode } from '../registry/catalog.ts';
import { dataDirectoryFailureMode } from '../storage/data-directory.ts';
import { breakerFailureMode } from '../upstream/breaker.ts';
import { driftFailureMode } from '../upstream/call-again.ts';
import { resultSizeFailureMode } from '../upstream/failed-call.ts';
import { inputResponseFailureMode } from '../validation/answer.ts';
import { inputFailureMode } from '../validation/input.ts';
import { outputFailureMode } from '../validation/output.ts';
import { clientCapabilityFailureMode, inputRequestFailureMode } from '../validation/question-guard.ts';
import { addressFailureMode } from './daemon.ts';
import { loadFailureModes } from './standing.ts';
import { secretFailureMode } from './upstream-servers.ts';

/** What every guard does where it cannot say yes, in the order in which a start and then a call meets them. */
export const FAILURE_MODES: readonly FailureMode[] = [
  dataDirectoryFailureMode,
  addressFailureMode,
  ...loadFailureModes,
  pinFailureMode,
  schemaAdmissionFailureMode,
  connectionsFailureMode,
  pipeliningFailureMode,
  ...hostFailureModes,
  ...httpFailureModes,
  paramHeadersFailureMode,
  socketFailureMode,
  unknownToolFailureMode,
  unknownPromptFailureMode,
  unknownResourceFailureMode,
  overloadFailureMode,
  subscriptionsFailureMode,
  rateFailureMode,
  rateStoreFailureMode,
  authorizeFailureMode,
  inputFailureMode,
  concurrencyFailureMode,
  budgetFailureMode,
  budgetStoreFailureMode,
  requestStateFailureMode,
  controlFailureMode,
  ledgerFailureMode,
  breakerFailureMode,
  secretFailureMode,
  driftFailureMode,
  resultSizeFailureMode,
  outputFailureMode,
  clientCapabilityFailureMode,
  inputRequestFailureMode,
  suspendedCallsFailureMode,
  inputResponseFailureMode,
];
