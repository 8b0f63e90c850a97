import type { Dispatcher, Pool } from 'undici';

const PATIENCE_MS = 2_000;

/** Sends what needs no answer: notifications, answers to a server's requests, the end of a session. Never rejects. */
export function postAndForget(
  pool: Pool,
  request: { method: 'POST' | 'DELETE'; path: string; headers: readonly string[]; body?: string },
): Promise<void> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let over = false;
    const end = (): void => {
      over = true;
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      end();
      controller?.abort(new Error('given up'));
    }, PATIENCE_MS);
    const { method, path, headers, body = null } = request;
    pool.dispatch(
      { method, path, headers: [...headers], body, headersTimeout: 0, bodyTimeout: PATIENCE_MS },
      {
        onRequestStart: (started) => {
          controller = started;
          if (over) started.abort(new Error('given up'));
        },
        onResponseStart: () => {},
        onResponseData: () => {},
        onResponseEnd: end,
        onResponseError: end,
      },
    );
  });
}
