import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { JsonObject } from '../lib/json/json.ts';
import { sendJson } from './mcp/streamable-http/http-exchange.ts';

/** Body of `/readyz`: true if the broker can serve, and details that a probe may see. */
export type Readiness = JsonObject & { readonly ready: boolean };

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const OK = '{"status":"ok"}';
const NOT_FOUND = '{"error":"not-found"}';

/**
 * Serves the routes off the hot path: `/healthz` (the process runs), `/readyz` (it can serve), and everything else through
 * Express. The probes do not wait for Express, which takes a sixth of the start-up time.
 */
export function probeRoutes(getReadiness: () => Readiness): Listener {
  let fallback: Listener = notFound;
  // Until Express is loaded, other paths are not found. No response waits for it.
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
  // Express recognizes an error handler by its four parameters. The error may contain anything, so none of it is sent.
  app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    response.status(400).json({ error: 'bad-request' });
  });
  return app;
}
