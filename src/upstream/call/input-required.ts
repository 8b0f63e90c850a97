import type { Era } from '../../domain/mcp/era.ts';
import { type InputRequest, isInputRequestMethod } from '../../domain/mcp/input-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { Response } from '../protocol/transport.ts';

/** What a server wants to know before it answers. */
export interface RequiredInput {
  readonly inputRequests: readonly InputRequest[];
  /** What it wants to get back, byte for byte (2026-07-28, patterns/mrtr). */
  readonly requestState?: JsonValue;
}

/** URL elicitation of 2025-11-25 as an error; its successor says the same by a result. */
const URL_ELICITATION_REQUIRED = -32_042;
const MAX_INPUT_REQUESTS = 16;
const NO_PARAMS: JsonObject = Object.freeze({});

/**
 * The questions that a server answers with instead of a result, in either era; undefined where it answers in earnest, and
 * a clause where it breaks the form.
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
  if (entries.length === 0 && requestState === undefined)
    return 'it asks for input and says neither what nor for which state';
  if (entries.length > MAX_INPUT_REQUESTS) return 'it asks too much at one time';
  const parsedRequests: InputRequest[] = [];
  for (const [key, request] of entries) {
    if (!isJsonObject(request) || typeof request.method !== 'string' || !isInputRequestMethod(request.method)) {
      return 'it asks what no client is asked';
    }
    const { method, params = NO_PARAMS } = request;
    if (!isJsonObject(params)) return 'the parameters of its question are not an object';
    parsedRequests.push({ method, params, key });
  }
  return requestState === undefined
    ? { inputRequests: parsedRequests }
    : { inputRequests: parsedRequests, requestState };
}

function parseRequiredUrls(data: JsonValue | undefined): RequiredInput | string {
  const elicitations = isJsonObject(data) ? data.elicitations : undefined;
  if (!Array.isArray(elicitations) || elicitations.length === 0 || elicitations.length > MAX_INPUT_REQUESTS) {
    return 'it wants a URL opened and names none';
  }
  const parsedRequests: InputRequest[] = [];
  for (const params of elicitations as readonly JsonValue[]) {
    // MCP 2025-11-25, client/elicitation, "URL Elicitation Required Error": no other mode.
    if (!isJsonObject(params) || params.mode !== 'url') return 'it wants a URL opened and asks otherwise';
    parsedRequests.push({ method: 'elicitation/create', params });
  }
  return { inputRequests: parsedRequests };
}
