import type { Era } from '../../domain/mcp/era.ts';
import { type InputRequest, isInputRequestMethod } from '../../domain/mcp/input-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { Response } from '../protocol/transport.ts';

/** Input that a server requires before it answers. */
export interface RequiredInput {
  readonly inputRequests: readonly InputRequest[];
  /** State that the server gets back, byte for byte (2026-07-28, patterns/mrtr). */
  readonly requestState?: JsonValue;
}

/** Error code of 2025-11-25 for a required URL elicitation; 2026-07-28 has a result for it. */
const URL_ELICITATION_REQUIRED = -32_042;
const MAX_INPUT_REQUESTS = 16;
const NO_PARAMS: JsonObject = Object.freeze({});

/**
 * Parses the input requests that a server of either era returns instead of a result. Returns undefined for any other
 * response, and a clause that says what is wrong if they are invalid.
 */
export function parseRequiredInput(response: Response, era: Era): RequiredInput | string | undefined {
  if (response.kind === 'error' && era === 'legacy' && response.error.code === URL_ELICITATION_REQUIRED) {
    return parseRequiredUrls(response.error.data);
  }
  if (response.kind !== 'result' || era !== 'modern' || response.result.resultType !== 'input_required')
    return undefined;
  const { inputRequests = NO_PARAMS, requestState } = response.result;
  if (!isJsonObject(inputRequests)) return 'its input requests are not an object';
  const entries = Object.entries(inputRequests);
  if (entries.length === 0 && requestState === undefined) return 'it has neither input requests nor a request state';
  if (entries.length > MAX_INPUT_REQUESTS) return `it has more than ${MAX_INPUT_REQUESTS} input requests`;
  const parsedRequests: InputRequest[] = [];
  for (const [key, request] of entries) {
    if (!isJsonObject(request) || typeof request.method !== 'string' || !isInputRequestMethod(request.method)) {
      return 'an input request has an unknown method';
    }
    const { method, params = NO_PARAMS } = request;
    if (!isJsonObject(params)) return 'the parameters of an input request are not an object';
    parsedRequests.push({ method, params, key });
  }
  return requestState === undefined
    ? { inputRequests: parsedRequests }
    : { inputRequests: parsedRequests, requestState };
}

function parseRequiredUrls(data: JsonValue | undefined): RequiredInput | string {
  const elicitations = isJsonObject(data) ? data.elicitations : undefined;
  if (!Array.isArray(elicitations) || elicitations.length === 0 || elicitations.length > MAX_INPUT_REQUESTS) {
    return `it requires a URL elicitation and lists none, or more than ${MAX_INPUT_REQUESTS}`;
  }
  const parsedRequests: InputRequest[] = [];
  for (const params of elicitations as readonly JsonValue[]) {
    // MCP 2025-11-25, client/elicitation, "URL Elicitation Required Error": no other mode.
    if (!isJsonObject(params) || params.mode !== 'url') return 'a required elicitation is not of mode `url`';
    parsedRequests.push({ method: 'elicitation/create', params });
  }
  return { inputRequests: parsedRequests };
}
