import type { Dispatcher, Pool } from 'undici';

const POST_TIMEOUT_MS = 2_000;

/**
 * Sends what needs no answer: notifications, answers to a server's requests, the end of a session. Never rejects; gives
 * the HTTP status, `broken` when none came, `late` when it was not waited for.
 */
export function postAndForget(
  pool: Pool,
  request: { method: 'POST' | 'DELETE'; path: string; headers: readonly string[]; body?: string },
): Promise<number | 'broken' | 'late'> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let isOver = false;
    let status: number | 'broken' = 'broken';
    const end = (how: number | 'broken' | 'late'): void => {
      isOver = true;
      clearTimeout(timer);
      resolve(how);
    };
    const timer = setTimeout(() => {
      end('late');
      controller?.abort(new Error('given up'));
    }, POST_TIMEOUT_MS);
    const { method, path, headers, body = null } = request;
    pool.dispatch(
      { method, path, headers: [...headers], body, headersTimeout: 0, bodyTimeout: POST_TIMEOUT_MS },
      {
        onRequestStart: (started) => {
          controller = started;
          if (isOver) started.abort(new Error('given up'));
        },
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: () => {},
        onResponseEnd: () => end(status),
        onResponseError: () => end(status),
      },
    );
  });
}
