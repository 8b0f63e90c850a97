/** The stateless revision: every request states its version and capabilities, and there is no handshake. */
export const MODERN_VERSION = '2026-07-28';

/** Versions that a modern request may state in `_meta`. */
export const MODERN_VERSIONS: readonly string[] = [MODERN_VERSION];

/** Revisions with `initialize` and sessions, newest first. An unknown version is answered with the newest. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26'];
export const LATEST_LEGACY_VERSION = '2025-11-25';

/** Keys of `_meta` reserved by MCP (2026-07-28, basic/index, "_meta"). */
export const META_PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
export const META_CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const META_CLIENT_INFO = 'io.modelcontextprotocol/clientInfo';
export const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
export const META_SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
export const META_SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/** Our own key of `_meta`: id and reason of a refusal. */
export const META_DECISION = 'dev.seneschal/decision';
