/** The stateless revision: every request carries its own envelope and there is no handshake. */
export const MODERN_VERSION = '2026-07-28';

/** What a client may name in the envelope of a request. */
export const MODERN_VERSIONS: readonly string[] = [MODERN_VERSION];

/** The revisions with `initialize` and sessions, newest first; an unknown one is answered with the newest. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26'];
export const LATEST_LEGACY_VERSION = '2025-11-25';

/** Keys of `_meta` that MCP reserves (2026-07-28, basic/index, "_meta"). */
export const META_PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
export const META_CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const META_CLIENT_INFO = 'io.modelcontextprotocol/clientInfo';
export const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
export const META_SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
export const META_SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/** Our own key: which decision a refusal was, and why. */
export const META_DECISION = 'dev.seneschal/decision';
