import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import type { JsonObject } from '../lib/json.ts';

/** Whether the broker can serve, and what a probe may know of it. */
export type Readiness = JsonObject & { readonly ready: boolean };

/** The routes that are not hot, behind Express: `/healthz` (it runs), `/readyz` (it can serve), 404 for all else. */
export function coldRoutes(ready: () => Readiness): (request: IncomingMessage, response: ServerResponse) => void {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', (_request, response) => {
    const readiness = ready();
    response.status(readiness.ready ? 200 : 503).json(readiness);
  });
  app.use((_request, response) => {
    response.status(404).json({ error: 'not-found' });
  });
  // Express knows an error handler by its four parameters. It says nothing of the error, which may hold anything.
  app.use((_error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status(400).json({ error: 'bad-request' });
  });
  return app;
}
