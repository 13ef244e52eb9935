import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Express } from 'express';
import { createApp } from './app.js';
import type { Config } from './config.js';
import { API_POOL, type Context, createContext } from './context.js';
import { StartupError } from './contracts/errors.js';
import type { Running } from './lifecycle.js';
import { createAdmission } from './services/admission.js';
import { createPublishService } from './services/publish.js';
import { createStatusService } from './services/status.js';

/**
 * Starts the API: context, app, listen. Stopping goes in the order of the data: no new connections, answers
 * under way, queue, database.
 */
export async function startApi(config: Config): Promise<Running> {
  const context = await createContext('api', config, API_POOL);
  const { queue, log } = context;
  const server = createServer(composeApi(context));
  try {
    await listen(server, config);
  } catch (error) {
    await context.close();
    throw error;
  }
  log.info({ host: config.host, port: config.port, queue: queue.backend }, 'API listening');
  return {
    async stop() {
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
      await context.close();
      log.info('API stopped');
    },
  };
}

/** The app over a context; `now` is the wall clock but in tests. */
export function composeApi({ config, database, queue, log }: Context, now = () => new Date()): Express {
  const { maxReadsPerSecond, readsRetentionDays } = config;
  const admission = createAdmission({ database, queue, maxReadsPerSecond });
  return createApp({
    log,
    apiKey: config.apiKey ?? '',
    corsOrigins: config.corsOrigins,
    corsAllowLocalhost: config.corsAllowLocalhost,
    publish: createPublishService({ database, admission, maxReadsPerSecond, readsRetentionDays, now }),
    status: createStatusService(database, queue),
  });
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new StartupError(
        `Port ${port} on ${host} is taken: stop what uses it, or set PORT to another one.`,
      );
    }
    throw new StartupError(
      `The API cannot listen on ${host}:${port} (${code ?? message}): correct HOST or PORT.`,
    );
  }
}
