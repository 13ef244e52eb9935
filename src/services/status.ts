import { type Database, rethrowUnavailable } from '../db.js';
import { withDeadline } from '../deadline.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import { activeEvents } from '../stores/events.js';
import { recentJobs } from '../stores/publishLedger.js';
import { tenantTotals } from '../stores/tenantTotals.js';
import { liveWorkers } from '../stores/workerHeartbeats.js';

/** A worker beats every 5 s; three missed beats and it is taken for dead. */
const WORKER_ALIVE_SECONDS = 15;
const RATE_WINDOW_SECONDS = 60;
const RECENT_WINDOW_SECONDS = 900;

/** What the data plane is doing, for people and dashboards. */
export function createStatusService(database: Database, queue: AmiQueue, now: () => Date) {
  return {
    /** Doc 2's scale status: totals, depth, rate. */
    async scale(tenantId: string) {
      const [totals, counts, rate] = await Promise.all([
        tenantTotals(database, tenantId),
        queue.counts(),
        recentJobs(database, tenantId, RATE_WINDOW_SECONDS),
      ]).catch(rethrowUnavailable);
      return {
        tenantId,
        totalDistinctMeters: totals.totalDistinctMeters,
        totalReads: totals.totalReads,
        latestReadAt: totals.latestReadAt,
        queue: counts,
        ingestionRate: {
          readsPerSecond: Math.round((rate.rows / RATE_WINDOW_SECONDS) * 10) / 10,
          windowSeconds: RATE_WINDOW_SECONDS,
        },
      };
    },

    /** Doc 1's status: health of the queue, workers, events under way, what happened lately. */
    async overview(tenantId: string) {
      const [totals, counts, workers, recent, events] = await Promise.all([
        tenantTotals(database, tenantId),
        queue.counts(),
        liveWorkers(database, WORKER_ALIVE_SECONDS),
        recentJobs(database, tenantId, RECENT_WINDOW_SECONDS),
        activeEvents(database, tenantId, now()),
      ]).catch(rethrowUnavailable);
      return {
        tenantId,
        queue: { backend: queue.backend, healthy: true, ...counts },
        workers,
        activeEvents: events,
        lastIngestAt: totals.lastIngestAt,
        latestReadAt: totals.latestReadAt,
        recentJobs: { ...recent, windowSeconds: RECENT_WINDOW_SECONDS },
      };
    },

    /** Whether each dependency answers, by name; `reason` is for the log, it may name hosts and users. */
    async readiness() {
      const [postgres, queueState] = await Promise.all([
        check(() => database.query('SELECT 1')),
        check(() => queue.counts()),
      ]);
      return { dependencies: { postgres, queue: queueState } };
    },
  };
}

export type StatusService = ReturnType<typeof createStatusService>;

/** 1.5 s: an answer that names what is away must itself be out within 2 s. */
const CHECK_DEADLINE_MS = 1_500;

async function check(call: () => Promise<unknown>): Promise<{ ok: boolean; reason?: string }> {
  try {
    await withDeadline(call, CHECK_DEADLINE_MS, () => new Error(`no answer within ${CHECK_DEADLINE_MS} ms`));
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message || error.name : String(error) };
  }
}
