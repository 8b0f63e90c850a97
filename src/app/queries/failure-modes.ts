import { overloadFailureMode } from '../../broker/call-state.ts';
import { ledgerFailureMode } from '../../broker/recorder.ts';
import { subscriptionsFailureMode } from '../../broker/resource-subscriptions.ts';
import { controlFailureMode } from '../../broker/run-controls.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { ControlName } from '../../domain/verdict.ts';
import { connectionsFailureMode, pipeliningFailureMode } from '../../ingress/http/guard-connections.ts';
import { hostFailureModes } from '../../ingress/http/host-validation.ts';
import { paramHeadersFailureMode } from '../../ingress/mcp/protocol/modern-request.ts';
import { httpFailureModes } from '../../ingress/mcp/streamable-http/endpoint.ts';
import { socketFailureMode } from '../../ingress/socket/socket-server.ts';
import { requestStateFailureMode } from '../../input-required/request-state.ts';
import { suspendedCallsFailureMode } from '../../input-required/suspended-call-store.ts';
import { budgetFailureMode } from '../../limits/budget/control.ts';
import { budgetStoreFailureMode } from '../../limits/budget/store.ts';
import { concurrencyFailureMode } from '../../limits/concurrency.ts';
import { rateFailureMode, rateStoreFailureMode } from '../../limits/rate.ts';
import {
  authorizeFailureMode,
  unknownPromptFailureMode,
  unknownResourceFailureMode,
  unknownToolFailureMode,
} from '../../policy/authorize.ts';
import { pinFailureMode, schemaAdmissionFailureMode } from '../../registry/catalog.ts';
import { dataDirectoryFailureMode } from '../../storage/data-directory.ts';
import { breakerFailureMode } from '../../upstream/call/breaker.ts';
import { resultSizeFailureMode } from '../../upstream/call/dispatch-result.ts';
import { driftFailureMode } from '../../upstream/send-call.ts';
import { inputFailureMode } from '../../validation/input.ts';
import { clientCapabilityFailureMode, inputRequestFailureMode } from '../../validation/input-requests/guard.ts';
import { inputResponseFailureMode } from '../../validation/input-requests/response.ts';
import { outputFailureMode } from '../../validation/output.ts';
import { addressFailureMode } from '../daemon.ts';
import { loadFailureModes } from '../runtime/snapshot-store.ts';
import { secretFailureMode } from '../runtime/upstream-servers.ts';

/** The failure mode of each control. A control without one is a type error on this constant, which names it. */
export const CONTROL_FAILURE_MODES: Readonly<Record<ControlName, FailureMode>> = {
  rate: rateFailureMode,
  authorize: authorizeFailureMode,
  'validate-input': inputFailureMode,
  concurrency: concurrencyFailureMode,
  budget: budgetFailureMode,
  'request-state': requestStateFailureMode,
  'validate-output': outputFailureMode,
  'guard-question': inputRequestFailureMode,
  'validate-answer': inputResponseFailureMode,
};

/** Every failure mode, in the order in which a startup and then a call meet them. */
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
  CONTROL_FAILURE_MODES.rate,
  rateStoreFailureMode,
  CONTROL_FAILURE_MODES.authorize,
  CONTROL_FAILURE_MODES['validate-input'],
  CONTROL_FAILURE_MODES.concurrency,
  CONTROL_FAILURE_MODES.budget,
  budgetStoreFailureMode,
  CONTROL_FAILURE_MODES['request-state'],
  controlFailureMode,
  ledgerFailureMode,
  breakerFailureMode,
  secretFailureMode,
  driftFailureMode,
  resultSizeFailureMode,
  CONTROL_FAILURE_MODES['validate-output'],
  clientCapabilityFailureMode,
  CONTROL_FAILURE_MODES['guard-question'],
  suspendedCallsFailureMode,
  CONTROL_FAILURE_MODES['validate-answer'],
];
