import type { CallReply, CallRequest } from '../../../broker/broker.ts';
import type { CallContext } from '../../../domain/call.ts';
import type { ClientContext } from '../../../domain/mcp/client-context.ts';
import type { Era } from '../../../domain/mcp/era.ts';
import type { Principal } from '../../../domain/principal.ts';
import type { ViewName } from '../../../domain/target.ts';
import type { CancelSignal } from '../../../lib/cancellation.ts';
import { isJsonObject } from '../../../lib/json/json.ts';
import type { LegacyClient } from '../client/legacy-client.ts';
import { encodeResourceUpdated } from '../client/resource-subscriptions.ts';
import { INVALID_PARAMS, type JsonRpcRequest } from '../protocol/json-rpc.ts';
import { callReply } from './call-reply.ts';
import type { InvalidCall, ParsedCall } from './parse-call.ts';
import { internalErrorReply, invalidParamsReply, type Reply } from './reply.ts';
import { errorName, type McpServices } from './services.ts';

/** The sender of a request: made once per legacy session, and once per stateless request. */
export interface ClientSession {
  readonly principal: Principal;
  readonly era: Era;
  readonly context: CallContext;
  /** View of the endpoint. Default: all servers. */
  readonly view?: ViewName | undefined;
  /** State of the client; set in the legacy era only. */
  readonly client?: LegacyClient | undefined;
}

/** A request that passes the pipeline, and its connection. */
export interface IncomingCall {
  readonly request: JsonRpcRequest;
  readonly call: ParsedCall | InvalidCall;
  readonly signal: CancelSignal;
  /** HTTP header `traceparent`. The member of the body takes precedence. */
  readonly traceHeader?: string | undefined;
  readonly clientContext?: ClientContext | undefined;
}

/** Passes a call through the pipeline. Never rejects. */
export async function handleCall(
  services: McpServices,
  clientSession: ClientSession,
  { request, call, signal, traceHeader, clientContext }: IncomingCall,
): Promise<Reply> {
  try {
    if ('problem' in call) return await rejectCall(services, clientSession, { request, problem: call.problem });
    const { operation, name, args, resumption } = call;
    const { principal, view, era } = clientSession;
    const context = withTraceParent(clientSession.context, request, traceHeader);
    const callRequest = { principal, operation, exposedName: name, args, context, resumption, view };
    const reply =
      operation.action === 'subscribe'
        ? await subscribeLegacy(services, clientSession, { callRequest, signal })
        : await services.broker.call(callRequest, { signal, clientContext });
    return callReply(reply, { id: request.id, operation, name }, { era, serverInfo: services.serverInfo });
  } catch (error) {
    services.log.error('ingress.failed', { method: request.method, error: errorName(error) });
    return internalErrorReply(request.id);
  }
}

async function rejectCall(
  { broker }: McpServices,
  { principal, context }: ClientSession,
  { request, problem }: { readonly request: JsonRpcRequest; readonly problem: string },
): Promise<Reply> {
  await broker.recordMalformed({ principal, context, code: INVALID_PARAMS, problem });
  return invalidParamsReply(request.id, `Invalid params: ${problem}`);
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

function withTraceParent(
  context: CallContext,
  { params: { _meta: meta } }: JsonRpcRequest,
  traceHeader: string | undefined,
): CallContext {
  const traceparent = (isJsonObject(meta) ? meta.traceparent : undefined) ?? traceHeader;
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { ...context, traceparent } : context;
}

/** Subscribes a legacy session to a resource. The subscription ends with the session. */
async function subscribeLegacy(
  { broker }: McpServices,
  { client }: ClientSession,
  { callRequest, signal }: { readonly callRequest: CallRequest; readonly signal: CancelSignal },
): Promise<CallReply> {
  const { exposedName } = callRequest;
  const subscription = await broker.subscribe(callRequest, {
    signal,
    onUpdated: (uri) => client?.notify(encodeResourceUpdated(uri)),
  });
  if (subscription.end !== undefined) client?.subscriptions.add(exposedName, subscription.end);
  return subscription;
}
