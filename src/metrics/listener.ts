import { once } from 'node:events';
import express from 'express';
import type { Logger } from 'pino';
import { StartupError } from '../contracts/errors.js';
import { errorEnvelope, notFound } from '../http/errors.js';
import { requestLog } from '../http/requestLog.js';
import { createHttpServer } from '../http/server.js';
import type { MetricsPage } from './metricsPage.js';
import { metricsRoutes } from './routes.js';

/** Prometheus scrapes every 15 s to every minute. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Serves `GET /metrics` of a process that has no HTTP of its own; every other path is a 404.
 *
 * @returns what closes it, scrapes under way included.
 * @throws StartupError when the port is taken or the address is none of this machine.
 */
export async function listenForScrapes(
  metrics: MetricsPage,
  { port, host }: { port: number; host: string },
  log: Logger,
): Promise<() => Promise<void>> {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestLog(log));
  metricsRoutes(app, { metrics });
  app.use(notFound);
  app.use(errorEnvelope);
  const server = createHttpServer(log, { keepAliveTimeout: KEEP_ALIVE_MS }).on('request', app);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartupError(
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is taken: give each worker on this machine a WORKER_METRICS_PORT of its own.`
        : `The worker cannot show its metrics on ${host}:${port} (${code ?? message}): correct WORKER_METRICS_HOST or WORKER_METRICS_PORT.`,
    );
  }
  log.info({ host, port }, 'metrics listening');
  return async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
}
