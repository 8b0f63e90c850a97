/** Codes of JSON-RPC 2.0 §5.1 and of MCP 2026-07-28 (basic/index, "Error Codes"). */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
export const HEADER_MISMATCH = -32020;
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;
/** Of the range that legacy servers use as they like; what their SDKs say of a bad or missing session. */
export const SESSION_REQUIRED = -32000;
export const SESSION_NOT_FOUND = -32001;
/** What 2025-11-25 and before say of a resource that is not there. */
export const RESOURCE_NOT_FOUND = -32002;
/** Our own, outside of what JSON-RPC and MCP keep for themselves: a refusal where a result cannot say that it is one. */
export const REFUSED = -31_000;
