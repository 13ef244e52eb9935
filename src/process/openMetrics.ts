import type { RequestHandler } from 'express';
import { observeBatches } from '../metrics/batches.js';
import { listenForScrapes } from '../metrics/listener.js';
import { createRegistry } from '../metrics/metrics.js';
import { createMetricsPage, type MetricsPage } from '../metrics/metricsPage.js';
import { measureRequests } from '../metrics/requests.js';
import type { StatusService } from '../status/status.js';
import type { BatchObserver } from '../writing/amiWorker.js';
import type { Config } from './config.js';
import type { Context } from './context.js';

/** The metrics of an API process, which shows the deployment too, and what measures its requests. */
export function openApiMetrics(
  context: Pick<Context, 'config'> & Partial<Pick<Context, 'database' | 'queue' | 'shareUse'>>,
  status: Pick<StatusService, 'readiness'>,
): { metrics: MetricsPage; measure: RequestHandler } {
  const { config, database, queue, shareUse } = context;
  const registry = createRegistry(database && { database, ...(shareUse && { shareUse }) });
  const { maxReadsPerSecond } = config;
  const observed = database &&
    queue && { database, queue, maxReadsPerSecond, readiness: () => status.readiness() };
  return { metrics: createMetricsPage(registry, observed), measure: measureRequests(registry) };
}

/** The metrics of a worker process, and where they are shown. */
export function openWorkerMetrics(
  { database, log }: Pick<Context, 'database' | 'log'>,
  place: NonNullable<Config['workerMetrics']>,
): { observer: BatchObserver; listen(): Promise<() => Promise<void>> } {
  const registry = createRegistry({ database });
  const observer = observeBatches(registry);
  return { observer, listen: () => listenForScrapes(createMetricsPage(registry), place, log) };
}
