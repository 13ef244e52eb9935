import type { Registry } from 'prom-client';
import type { Database } from '../db/db.js';
import { askAs } from '../db/shares.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import { withDeadline } from '../timing/deadline.js';
import { joinedRuns } from '../timing/joinedRuns.js';
import { createDeploymentGauges } from './deploymentGauges.js';
import { findFigures, findTenantAges } from './figures.js';

/** What is looked at for the figures of the deployment. */
export interface Observed {
  database: Database;
  queue: Pick<AmiQueue, 'countsByLane'>;
  /** Whether each dependency answers, by name; never rejects. */
  readiness(): Promise<{ dependencies: Record<string, { ok: boolean } | undefined> }>;
  maxReadsPerSecond: number;
}

/** However often it is scraped, Postgres and the queue are asked once in so many ms. */
const LOOK_EVERY_MS = 5_000;
/** How long a scrape waits for a look that it has begun: Prometheus gives up after 10 s by default. */
const LOOK_WAIT_MS = 1_000;
const DEPENDENCIES = ['postgres', 'queue', 'worker'];

/** A scrape's text. */
export interface MetricsPage {
  contentType: string;
  text(): Promise<string>;
}

/**
 * What a process shows of itself, and of the deployment where that is observed.
 *
 * @param now ms of a clock that never goes back.
 */
export function createMetricsPage(
  registry: Registry,
  observed?: Observed,
  now = () => performance.now(),
): MetricsPage {
  const ask = observed && createLook(observed, registry);
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = joinedRuns(async () => {
    lookedAt = now();
    await ask?.();
  });
  /** The last one, under way or over. */
  let latest = Promise.resolve();
  const text = joinedRuns(async () => {
    if (now() - lookedAt >= LOOK_EVERY_MS) latest = look();
    // What is not found in time is in the next scrape.
    const late = () => new Error('later');
    await withDeadline(() => latest, LOOK_WAIT_MS, late).catch(() => undefined);
    return registry.metrics();
  });
  return { contentType: registry.contentType, text };
}

/** Looks at everything once and sets the gauges; never rejects. What does not answer is undefined. */
function createLook(observed: Observed, registry: Registry): () => Promise<void> {
  const { database, queue, readiness, maxReadsPerSecond } = observed;
  const show = createDeploymentGauges(registry, maxReadsPerSecond);
  const orUndefined = <T>(asked: Promise<T>): Promise<T | undefined> => asked.catch(() => undefined);
  return async () => {
    const startedAt = performance.now();
    const ofPostgres = askAs({ share: 'readers' }, async () => {
      const figures = await findFigures(database);
      const tenants = await findTenantAges(database);
      return { figures, tenants, askedSeconds: (performance.now() - startedAt) / 1000 };
    });
    const [{ dependencies }, jobs, found] = await Promise.all([
      readiness(),
      orUndefined(queue.countsByLane()),
      orUndefined(ofPostgres),
    ]);
    show({
      dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, dependencies[name]?.ok === true])),
      jobs,
      figures: found?.figures,
      tenants: found?.tenants,
      askedSeconds: found?.askedSeconds,
    });
  };
}
