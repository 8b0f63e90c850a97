import { resolve } from 'node:path';
import { afterEach, expect } from 'vitest';
import { modernNotificationClient, type NotificationClient } from '../../fixtures/clients/notification-client.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, WireAgent } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';
import { legacyHandler, openEvents, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';
import { forgetPeakOf, peakMemoryOf } from '../../fixtures/programs/process-stats.ts';
import { scaled } from '../../fixtures/scale.ts';

const NOTIFYING = resolve(import.meta.dirname, '../../fixtures/servers/notifying-stdio.mjs');
const NOTIFICATIONS = scaled({ small: 200_000, full: 1_000_000 });
/** Parsed notifications take about 300 bytes each, so a broker that held a flood would grow by 60 MB more than its garbage does. */
const MAX_GROWTH_MB = 100;

let home: Home;
let served: Served;
let receiving: NotificationClient | undefined;
let agent: WireAgent | undefined;

afterEach(async () => {
  agent?.close();
  await receiving?.close();
  await home.close();
});

/** A server over HTTP that sends that many progress notifications before its response, as fast as they are read. */
async function chattyUrl(): Promise<string> {
  const { url } = await serveHttp(
    legacyHandler({
      flood: ({ message }, response) => {
        const send = openEvents(response);
        const { progressToken } = message.params._meta as { progressToken: number };
        const progress = {
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken, progress: 1 },
        };
        const block = `data: ${JSON.stringify(progress)}\n\n`.repeat(1_000);
        let left = NOTIFICATIONS;
        const more = (): void => {
          if (left === 0) {
            send(textResponse(message.id, 'flooded'));
            response.end();
            return;
          }
          left -= 1_000;
          response.write(block, more);
        };
        more();
      },
    }),
  );
  return url;
}

async function serve(): Promise<void> {
  const transport = { type: 'stdio', command: process.execPath, args: [NOTIFYING, '{}'] };
  home = governedHome({
    servers: {
      pipes: `name: pipes\ntransport: ${JSON.stringify(transport)}\npin: auto\ntimeout: 5m\n`,
      web: httpServer('web', await chattyUrl(), { more: 'timeout: 5m\n' }),
    },
  });
  const key = await home.key('demo');
  served = await home.serve();
  agent = new WireAgent(served.url, key);
  const headers = { authorization: `Bearer ${key}` };
  receiving = await modernNotificationClient({ type: 'http', url: `${served.url}/mcp`, headers });
}

async function droppedOf(server: string): Promise<number> {
  const { stdout, stderr } = await home.run(['registry', 'list', '--output', 'json']);
  if (stdout === '') throw new Error(stderr);
  const listed = JSON.parse(stdout) as { servers: { name: string; droppedMessages?: number }[] };
  return listed.servers.find(({ name }) => name === server)?.droppedMessages ?? -1;
}

verifies('F10')(
  `${NOTIFICATIONS.toLocaleString('en')} notifications of one call: a thousand are delivered, and the rest dropped without buffering`,
  async () => {
    await serve();
    await agent?.call('pipes__steps');
    forgetPeakOf(served.child.pid);
    const memoryBefore = peakMemoryOf(served.child.pid);
    for (const server of ['pipes', 'web']) {
      expect(await receiving?.call(`${server}__flood`, { messages: NOTIFICATIONS })).toBe('flooded');
      expect(receiving?.received.progress.splice(0)).toHaveLength(1_000);
      expect(await droppedOf(server)).toBeGreaterThanOrEqual(NOTIFICATIONS - 1_000);
    }
    const grownMb = Math.round((peakMemoryOf(served.child.pid) - memoryBefore) / 1_000_000);
    process.stdout.write(`two floods of ${NOTIFICATIONS} notifications: peak memory grew by ${grownMb} MB\n`);
    expect(grownMb).toBeLessThan(MAX_GROWTH_MB);
  },
  300_000,
);
