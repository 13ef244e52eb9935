import type { Automatic } from '../../src/automatic/automatic.js';
import { composeAutomatic } from '../../src/process/workerProcess.js';
import type { BackendName } from './backends.js';
import { createDeployment, type Deployment } from './deployment.js';
import { waitFor } from './waitFor.js';

export const TENANT = 'DEMO_TENANT';
/** 7 minutes into the interval 10:00. */
export const NOW = new Date('2026-06-01T10:07:00Z');

/** What the ledger has of an interval, revisions aside. */
export interface PublishedSlot {
  readAt: string;
  origin: string;
  background: boolean;
  meters: number;
}

/** Automatic mode on one deployment, with a clock of its own: it stands until a test sets it or lets it run. */
export interface AutoTenant {
  deployment: Deployment;
  /** As worker processes run it, for tests that call its parts by hand. */
  automatic: Automatic;
  setClock(now: Date | string): void;
  /**
   * Lets the clock run on from an instant, as fast as ours. On a clock that stands, what has been put off for a second
   * is never tried again.
   */
  runClock(from: Date | string): void;
  start(body?: object, path?: string): ReturnType<Deployment['post']>;
  stop(tenantId?: string): ReturnType<Deployment['post']>;
  status(tenantId?: string): Promise<
    Record<string, unknown> & {
      waiting: { readAt: string; failure: string }[];
      queue: Record<string, number>;
    }
  >;
  /** In the order of their acceptance. */
  slots(tenantId?: string): Promise<PublishedSlot[]>;
  /** Reads by `HH:MM` of their interval. */
  reads(tenantId?: string): Promise<Record<string, number>>;
  /** Waits until a tenant has just these reads, and nothing is owed any more. */
  settled(expected: Record<string, number>, tenantId?: string): Promise<void>;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

export async function createAutoTenant(
  backend: BackendName,
  env: Record<string, string> = {},
): Promise<AutoTenant> {
  let clock = (): Date => NOW;
  const now = (): Date => clock();
  const deployment = await createDeployment(backend, env, now);
  const sql = async (text: string, values: unknown[] = []) =>
    (await deployment.database.pool.query(text, values)).rows;
  const auto: AutoTenant = {
    deployment,
    automatic: composeAutomatic(deployment.context, now, () => undefined),
    setClock(at) {
      clock = () => new Date(at);
    },
    runClock(from) {
      const ahead = new Date(from).getTime() - Date.now();
      clock = () => new Date(Date.now() + ahead);
    },
    start: (body = {}, path = '/api/ami/auto/start') =>
      deployment.post(path, { tenantId: TENANT, meterCount: 50, feederCount: 10, batchSize: 10, ...body }),
    stop: (tenantId = TENANT) => deployment.post('/api/ami/auto/stop', { tenantId }),
    status: async (tenantId = TENANT) =>
      (await deployment.http.get(`/api/ami/auto/status?tenantId=${tenantId}`)).body,
    slots: async (tenantId = TENANT) =>
      (await sql(
        `SELECT to_char(read_at AT TIME ZONE 'UTC', 'HH24:MI') AS "readAt", origin, is_background AS background,
           range_to - range_from AS meters
         FROM ami_publishes WHERE tenant_id = $1 AND origin <> 'revision' ORDER BY accepted_at`,
        [tenantId],
      )) as unknown as PublishedSlot[],
    async reads(tenantId = TENANT) {
      const rows = await sql(
        `SELECT to_char(read_at AT TIME ZONE 'UTC', 'HH24:MI') AS slot, count(*)::integer AS reads
         FROM meter_reads_electric WHERE tenant_id = $1 GROUP BY read_at ORDER BY read_at`,
        [tenantId],
      );
      return Object.fromEntries(rows.map(({ slot, reads }) => [slot, reads])) as Record<string, number>;
    },
    async settled(expected, tenantId = TENANT) {
      const wanted = JSON.stringify(Object.entries(expected).sort());
      await waitFor(`reads ${wanted}`, async () => {
        const owed = await sql(`SELECT FROM ami_publish_batches WHERE state = 'pending'`);
        if (owed.length > 0) return false;
        return JSON.stringify(Object.entries(await auto.reads(tenantId)).sort()) === wanted;
      });
    },
    sql,
  };
  return auto;
}
