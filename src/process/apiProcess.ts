import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Express } from 'express';
import { StartupError } from '../contracts/errors.js';
import { handleOneAtATime } from '../http/oneAtATime.js';
import { createHttpServer } from '../http/server.js';
import { stoppable } from '../http/stoppable.js';
import { runPeriodically } from '../timing/periodic.js';
import { createApp } from './app.js';
import type { Config } from './config.js';
import { logPostgres } from './connectionBudget.js';
import { API_POOL, type Context, createContext } from './context.js';
import type { Running } from './lifecycle.js';
import { createServices } from './services.js';
import { isSupervised } from './supervised.js';

/**
 * Starts the API: context, app, listen. Stopping goes in the order of the data: not ready, no new connections, answers
 * under way, queue, database.
 */
export async function startApi(config: Config): Promise<Running> {
  const context = await createContext('api', config, API_POOL);
  const { queue, log, clock } = context;
  await clock.look();
  const looking = runPeriodically('comparing clocks', CLOCK_MS, clock.look, log);
  const server = createHttpServer(log, { keepAliveTimeout: KEEP_ALIVE_MS });
  const stopping = stoppable(server, log);
  handleOneAtATime(server, composeApi(context, undefined, stopping.isStopping));
  try {
    await listen(server, config);
  } catch (error) {
    await looking.stop();
    await context.close();
    throw error;
  }
  log.info({ host: config.host, port: config.port, queue: queue.backend }, 'API listening');
  await logPostgres(context);
  return {
    async stop() {
      // Before `npm start` stands no balancer that would have to see it.
      await stopping.stop(isSupervised() ? 0 : config.stopGraceSeconds * 1_000);
      await looking.stop();
      await context.close();
      log.info('API stopped');
    },
  };
}

/**
 * An idle connection stays open for longer than the 60 s for which nginx and cloud load balancers reuse theirs. With
 * Node's 5 s the API closed connections that a client was just sending its next request on, and a process that had
 * been held up for 5 s closed them with the request already in its buffer: the caller saw a reset, never an answer.
 */
const KEEP_ALIVE_MS = 75_000;

/** Less than the seconds that clocks may differ by. */
const CLOCK_MS = 2_000;

/** The app over a context; `now` is the wall clock but in tests. */
export function composeApi(context: Context, now = () => new Date(), isStopping = () => false): Express {
  return createApp(context, createServices(context, now), isStopping);
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
