import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { JsonObject } from '../lib/json/json.ts';
import { sendJson } from './mcp/streamable-http/http-exchange.ts';

/** Whether the broker can serve, and what a probe may know of it. */
export type Readiness = JsonObject & { readonly ready: boolean };

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const OK = '{"status":"ok"}';
const NOT_FOUND = '{"error":"not-found"}';

/**
 * The routes that are not hot: `/healthz` (it runs), `/readyz` (it can serve), and all else behind Express. The probes
 * are answered without it, since whoever starts the broker waits for them and Express takes a sixth of a start.
 */
export function probeRoutes(getReadiness: () => Readiness): Listener {
  let fallback: Listener = notFound;
  // Until it is loaded nothing else is there. No answer waits for it: what follows on the connection may end that first.
  setImmediate(() => void openExpress().then((express) => (fallback = express)));
  return (request, response) => {
    if (!handleProbe(request, response, getReadiness)) fallback(request, response);
  };
}

function notFound(_request: IncomingMessage, response: ServerResponse): void {
  sendJson(response, 404, NOT_FOUND);
}

function handleProbe(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  getReadiness: () => Readiness,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const path = url?.split('?', 1)[0];
  if (path === '/healthz') {
    sendJson(response, 200, OK);
    return true;
  }
  if (path !== '/readyz') return false;
  const readiness = getReadiness();
  sendJson(response, readiness.ready ? 200 : 503, JSON.stringify(readiness));
  return true;
}

async function openExpress(): Promise<Listener> {
  const { default: express } = await import('express');
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request: Request, response: Response) => {
    response.status(404).json({ error: 'not-found' });
  });
  // Express knows an error handler by its four parameters. It says nothing of the error, which may hold anything.
  app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    response.status(400).json({ error: 'bad-request' });
  });
  return app;
}
