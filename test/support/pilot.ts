import type { BackendName } from './backends.js';
import { createDeployment, type Deployment } from './deployment.js';
import { waitFor } from './waitFor.js';

export const TENANT = 'DEMO_TENANT';
/** 7 minutes into the interval 10:00, on a clock that moves only when a test moves it. */
export const NOW = new Date('2026-06-01T10:07:00Z');
/** 500 meters, 50 a feeder; FEEDER_7 lies across no batch border, FEEDER_1 with FEEDER_2 in one batch. */
const FLEET = { tenantId: TENANT, meterCount: 500, feederCount: 10, batchSize: 100 };

/** A read as the table has it; `updatedAt` is exact to the microsecond, as text. */
export interface StoredRead {
  meterId: string;
  feederId: string;
  kwh: number;
  deliveredKwh: number;
  voltage: number;
  flags: string[];
  updatedAt: string;
}

/** The pilot's story on one deployment: publish, post events, look at the reads. */
export interface Pilot {
  deployment: Deployment;
  setClock(now: Date): void;
  publish(body?: object): Promise<string>;
  finished(publishId: string): Promise<{ rows: Record<string, number>; [field: string]: unknown }>;
  publishAndFinish(body?: object): Promise<void>;
  /** Posts an event of 60 minutes on FEEDER_7, unless `body` says otherwise. */
  event(type: string, body?: object): ReturnType<Deployment['post']>;
  /** The reads of one `readAt`, by meter. */
  reads(readAt?: string): Promise<Map<string, StoredRead>>;
  count(table: string): Promise<number>;
  /** Waits until nothing is on its way, and forgets every read, publish and event. */
  forgetAll(): Promise<void>;
}

export async function createPilot(backend: BackendName): Promise<Pilot> {
  let clock = NOW;
  const deployment = await createDeployment(backend, {}, () => clock);
  const rows = async (sql: string, values: unknown[] = []) =>
    (await deployment.database.pool.query(sql, values)).rows;
  const pilot: Pilot = {
    deployment,
    setClock(now) {
      clock = now;
    },
    async publish(body = {}) {
      const answer = await deployment.post('/api/ami/publish-once', { ...FLEET, ...body });
      if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
      return answer.body.publishId;
    },
    finished: (publishId) =>
      waitFor(`publish ${publishId}`, async () => {
        const { body } = await deployment.http.get(`/api/ami/publish/${publishId}`);
        return body.state === 'done' && body;
      }),
    async publishAndFinish(body) {
      await pilot.finished(await pilot.publish(body));
    },
    event: (type, body = {}) =>
      deployment.post(`/api/ami/event/${type}`, {
        tenantId: TENANT,
        feederId: 'FEEDER_7',
        durationMinutes: 60,
        severity: 0.8,
        ...body,
      }),
    async reads(readAt = '2026-06-01T10:00:00Z') {
      const found: StoredRead[] = await rows(
        `SELECT meter_id AS "meterId", feeder_id AS "feederId", kwh::double precision, voltage::double precision,
           delivered_kwh::double precision AS "deliveredKwh", quality_flags AS flags, updated_at::text AS "updatedAt"
         FROM meter_reads_electric WHERE read_at = $1 ORDER BY meter_id`,
        [readAt],
      );
      return new Map(found.map((read) => [read.meterId, read]));
    },
    async forgetAll() {
      await waitFor('the queue to be empty', async () => {
        const pending = await rows(`SELECT FROM ami_publish_batches WHERE state = 'pending'`);
        return pending.length === 0;
      });
      for (const tables of ['meter_reads_electric', 'ami_publishes CASCADE', 'ami_events'])
        await deployment.database.truncate(tables);
    },
    count: async (table) => (await rows(`SELECT count(*)::integer AS n FROM ${table}`))[0].n,
  };
  return pilot;
}

export const ofFeeder = (reads: Map<string, StoredRead>, feederId = 'FEEDER_7'): StoredRead[] =>
  [...reads.values()].filter((read) => read.feederId === feederId);

/** What a meter measured, without when it was written. */
export const measured = (read: StoredRead | undefined) => read && { ...read, updatedAt: undefined };
