import type { AgentLink } from '../domain/agent-link.ts';
import type { JsonObject } from '../lib/json.ts';
import type { RequestListener } from './mcp/channel.ts';

/**
 * What of a server's messages reaches the agent of one call: at most `maxNotifications` of them. Those over it are
 * dropped, each told to `onDropped`; the call goes on.
 */
export function listenerOf(
  link: AgentLink,
  { maxNotifications, onDropped }: { readonly maxNotifications: number; readonly onDropped: () => void },
): RequestListener {
  let told = 0;
  const isWithinCap = (): boolean => {
    told += 1;
    if (told > maxNotifications) onDropped();
    return told <= maxNotifications;
  };
  return {
    wantsProgress: link.wantsProgress,
    logLevel: link.logLevel,
    get isFull() {
      return told >= maxNotifications;
    },
    onProgress: (params: JsonObject) => {
      if (isWithinCap()) link.progress(params);
    },
    onLog: (params: JsonObject) => {
      if (isWithinCap()) link.log(params);
    },
  };
}
