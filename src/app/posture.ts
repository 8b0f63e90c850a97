import { overloadPosture } from '../broker/overload.ts';
import { ledgerPosture } from '../broker/recorder.ts';
import { subscriptionsPosture } from '../broker/resource-subscriptions.ts';
import { controlPosture } from '../broker/step.ts';
import type { PostureRow } from '../domain/posture.ts';
import { connectionsPosture } from '../ingress/connection-limits.ts';
import { hostPostures } from '../ingress/host-guard.ts';
import { inTurnPosture } from '../ingress/in-turn.ts';
import { httpPostures } from '../ingress/mcp/http-endpoint.ts';
import { paramHeadersPosture } from '../ingress/mcp/param-headers.ts';
import { socketPosture } from '../ingress/socket.ts';
import { budgetPosture } from '../limits/budget.ts';
import { budgetStorePosture } from '../limits/budget-store.ts';
import { concurrencyPosture } from '../limits/concurrency.ts';
import { ratePosture } from '../limits/rate.ts';
import { rateStorePosture } from '../limits/rate-state.ts';
import {
  authorizePosture,
  unknownPromptPosture,
  unknownResourcePosture,
  unknownToolPosture,
} from '../policy/authorize.ts';
import { requestStatePosture } from '../questions/request-state.ts';
import { suspensionPosture } from '../questions/suspensions.ts';
import { pinPosture, schemaAdmissionPosture } from '../registry/catalog.ts';
import { dataDirectoryPosture } from '../storage/data-directory.ts';
import { breakerPosture } from '../upstream/breaker.ts';
import { driftPosture } from '../upstream/call-again.ts';
import { resultSizePosture } from '../upstream/failed-call.ts';
import { answerPosture } from '../validation/answer.ts';
import { inputPosture } from '../validation/input.ts';
import { outputPosture } from '../validation/output.ts';
import { capabilityPosture, questionPosture } from '../validation/question-guard.ts';
import { addressPosture } from './daemon.ts';
import { loadPostures } from './standing.ts';
import { secretPosture } from './upstream-servers.ts';

/** What every guard does where it cannot say yes, in the order in which a start and then a call meets them. */
export const POSTURE: readonly PostureRow[] = [
  dataDirectoryPosture,
  addressPosture,
  ...loadPostures,
  pinPosture,
  schemaAdmissionPosture,
  connectionsPosture,
  inTurnPosture,
  ...hostPostures,
  ...httpPostures,
  paramHeadersPosture,
  socketPosture,
  unknownToolPosture,
  unknownPromptPosture,
  unknownResourcePosture,
  overloadPosture,
  subscriptionsPosture,
  ratePosture,
  rateStorePosture,
  authorizePosture,
  inputPosture,
  concurrencyPosture,
  budgetPosture,
  budgetStorePosture,
  requestStatePosture,
  controlPosture,
  ledgerPosture,
  breakerPosture,
  secretPosture,
  driftPosture,
  resultSizePosture,
  outputPosture,
  capabilityPosture,
  questionPosture,
  suspensionPosture,
  answerPosture,
];
