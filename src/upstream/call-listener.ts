import type { AgentLink } from '../domain/agent-link.ts';
import type { JsonObject } from '../lib/json.ts';
import type { RequestListener } from './mcp/channel.ts';

/**
 * What of a server's messages reaches the agent of one call: at most `maxNotifications` of them. Those over it are
 * dropped, and so is what the agent does not read in time, each told to `onDropped`; the call goes on. As many requests of the server that nobody asked for are answered.
 */
export function listenerOf(
  link: AgentLink,
  { maxNotifications, onDropped }: { readonly maxNotifications: number; readonly onDropped: () => void },
): RequestListener {
  let told = 0;
  let asked = 0;
  const tell = (hand: () => boolean): void => {
    told += 1;
    if (told > maxNotifications || !hand()) onDropped();
  };
  return {
    wantsProgress: link.wantsProgress,
    logLevel: link.logLevel,
    get isFull() {
      return told >= maxNotifications;
    },
    onProgress: (params: JsonObject) => tell(() => link.progress(params)),
    mayBeAsked: () => {
      asked += 1;
      return asked <= maxNotifications;
    },
    onLog: (params: JsonObject) => tell(() => link.log(params)),
  };
}
