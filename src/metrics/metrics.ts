/**
 * Room: metrics. Promises: to show Prometheus what this process does, and what the deployment does as this process finds
 * it. A scrape is answered within a second or so, also while Postgres is away, and shows nothing that is no longer true.
 */

import { createRequire } from 'node:module';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Database } from '../db/db.js';
import type { ShareUse } from '../db/shares.js';

/** prom-client's gauges whose names end as a counter's; `nodejs_active_resources` and the like say the same by type. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** What is measured of a process's connections to Postgres. */
export interface ObservedPool {
  database: Pick<Database, 'totalCount' | 'idleCount' | 'waitingCount'>;
  /** How much of the pool each kind of asker uses; only where it is shared out. */
  shareUse?: () => ShareUse[];
}

/** The metrics of any process: CPU, memory, event loop, version, and its connections to Postgres where it has any. */
export function createRegistry(pool: ObservedPool | undefined): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const { version } = createRequire(import.meta.url)('#product/package.json') as { version: string };
  new Gauge({
    name: 'gridlens_build_info',
    help: 'Always 1; the version of GridLens AMI is the label.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  if (pool) measurePool(pool, registry);
  return registry;
}

function measurePool({ database, shareUse }: ObservedPool, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'gridlens_database_pool_connections',
    help: 'Connections of this process to Postgres, by state: busy or idle.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'busy' }, database.totalCount - database.idleCount);
      this.set({ state: 'idle' }, database.idleCount);
    },
  });
  new Gauge({
    name: 'gridlens_database_pool_waiting',
    help: 'Statements of this process that wait for a connection to Postgres.',
    registers,
    collect() {
      this.set(database.waitingCount);
    },
  });
  if (shareUse === undefined) return;
  new Gauge({
    name: 'gridlens_database_share_connections',
    help: 'Connections of the API by who uses them (readers or key holders) and use: taken, most (the limit) or waiting (asked for).',
    labelNames: ['share', 'use'],
    registers,
    collect() {
      for (const { share, ...uses } of shareUse())
        for (const [use, count] of Object.entries(uses)) this.set({ share, use }, count);
    },
  });
}
