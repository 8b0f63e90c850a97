import type { FeatureKind } from '../../../domain/target.ts';
import type { JsonRpcRequest, RequestId } from '../protocol/json-rpc.ts';
import { META_SERVER_INFO } from '../protocol/versions.ts';
import type { ClientSession } from './handle-call.ts';
import { toLegacyToolList } from './legacy-tools.ts';
import { invalidParamsReply, type Reply, type SerializedReply, serializeId } from './reply.ts';
import type { McpServices } from './services.ts';

/** The list methods, each with the kind of its features and the member of the result that holds them. */
const LIST_METHODS: Readonly<Record<string, { readonly kind: FeatureKind; readonly member: string }>> = {
  'tools/list': { kind: 'tool', member: 'tools' },
  'prompts/list': { kind: 'prompt', member: 'prompts' },
  'resources/list': { kind: 'resource', member: 'resources' },
  'resources/templates/list': { kind: 'template', member: 'resourceTemplates' },
};

export function isListMethod(method: string): boolean {
  return Object.hasOwn(LIST_METHODS, method);
}

/** Serves a list method: one page of the features that the principal can see. */
export function featureListReply(
  services: McpServices,
  { principal, era, view }: ClientSession,
  request: JsonRpcRequest,
): Reply | SerializedReply {
  const listMethod = LIST_METHODS[request.method];
  const { cursor } = request.params;
  if (listMethod === undefined || (cursor !== undefined && typeof cursor !== 'string')) {
    return invalidCursorReply(request.id);
  }
  const list = services.broker.visibleLists.list(principal, listMethod.kind, view);
  const listForEra = era === 'legacy' && listMethod.kind === 'tool' ? toLegacyToolList(list) : list;
  const page = services.paginator.page(listForEra, principal.id, cursor);
  if (!page) return invalidCursorReply(request.id);
  // The features are serialized already. They come last, so that everything else is one short text before them.
  let head = `{"jsonrpc":"2.0","id":${serializeId(request.id)},"result":{`;
  if (era === 'modern') {
    const meta = JSON.stringify({ [META_SERVER_INFO]: services.serverInfo });
    head += `"resultType":"complete","ttlMs":${services.listTtlMs},"cacheScope":"private","_meta":${meta},`;
  }
  if (page.nextCursor !== undefined) head += `"nextCursor":${JSON.stringify(page.nextCursor)},`;
  return { head: `${head}"${listMethod.member}":`, serialized: page.features, tail: '}}' };
}

function invalidCursorReply(id: RequestId): Reply {
  return invalidParamsReply(id, 'Invalid params: the cursor is not valid for this list; list again without it');
}
