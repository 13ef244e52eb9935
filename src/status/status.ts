/**
 * Room: status. Promises: to say what lives, what works and what waits: health, readiness, workers, totals. It changes
 * nothing but the heartbeat of the process it runs in.
 */

import { archiveState } from '../archive/archivedDays.js';
import type { TenantClock } from '../automatic/tenantClock.js';
import { answerBudget } from '../contracts/answerBudget.js';
import { DependencyUnavailableError } from '../contracts/errors.js';
import { MAX_BATCH_SIZE, MAX_READS_PER_SECOND } from '../contracts/limits.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { requireWritable } from '../db/hosts.js';
import { postgresTrouble } from '../db/postgresTrouble.js';
import { type Reads, readFromPrimary } from '../db/standbyReads.js';
import { activeEvents } from '../events/eventTable.js';
import { completedInLastHour, recentJobs } from '../ledger/publishLedger.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import { tenantTotals } from '../reads/tenantTotals.js';
import { withDeadline } from '../timing/deadline.js';
import type { ClockWatch } from './clockWatch.js';
import { type LastJob, lastJob, liveWorkers, standstill } from './workers.js';

/** A heartbeat job is added every 10 s. If four in a row are not done, workers may live, but they do not work. */
const JOB_DONE_WITHIN_SECONDS = 45;
const RATE_WINDOW_SECONDS = 60;
const RECENT_WINDOW_SECONDS = 900;

/** Whether Postgres, the queue or the workers answer and do their work. */
export interface Dependency {
  ok: boolean;
  /** For the log: it may name hosts and users. */
  reason?: string;
  /** What is wrong and what to do, for the caller; only there when it says more than "does not answer". */
  advice?: string;
}

/** What the data plane is doing, for people and dashboards. */
export function createStatusService(
  database: Database,
  queue: AmiQueue,
  clock: TenantClock,
  /** The deployment's limit. A deployment that may write one read per second is slow, but it does not stand still. */
  maxReadsPerSecond = MAX_READS_PER_SECOND,
  clockWatch: Pick<ClockWatch, 'trouble'> = { trouble: () => undefined },
  /** For what may be seconds old: totals, jobs, workers, events. */
  reads: Reads = readFromPrimary(database),
) {
  return {
    /** The answer of `GET /scale/status`: totals, depth, rate. */
    async scale(tenantId: string) {
      const [totals, counts, completed, rate] = await Promise.all([
        tenantTotals(reads.database, tenantId),
        queue.counts(),
        completedInLastHour(reads.database, tenantId),
        recentJobs(reads.database, tenantId, RATE_WINDOW_SECONDS),
      ]).catch(rethrowUnavailable);
      return {
        tenantId,
        totalDistinctMeters: totals.totalDistinctMeters,
        totalReads: totals.totalReads,
        latestReadAt: totals.latestReadAt,
        queue: { ...counts, completed },
        ingestionRate: {
          readsPerSecond: Math.round((rate.rows / RATE_WINDOW_SECONDS) * 10) / 10,
          windowSeconds: RATE_WINDOW_SECONDS,
        },
        ...reads.staleness(),
      };
    },

    /** The answer of `GET /status`: health of the queue, workers, events under way, what happened lately. */
    async overview(tenantId: string) {
      const [totals, counts, completed, workers, job, recent, events, archive] = await Promise.all([
        tenantTotals(reads.database, tenantId),
        queue.counts(),
        completedInLastHour(reads.database, tenantId),
        liveWorkers(database),
        lastJob(database),
        recentJobs(reads.database, tenantId, RECENT_WINDOW_SECONDS),
        clock(tenantId).then((at) => activeEvents(reads.database, tenantId, at)),
        archiveState(database),
      ]).catch(rethrowUnavailable);
      return {
        tenantId,
        queue: { backend: queue.backend, healthy: true, ...counts, completed },
        workers,
        heartbeat: { ...job, ok: doesJobs(job) },
        activeEvents: events,
        lastIngestAt: totals.lastIngestAt,
        latestReadAt: totals.latestReadAt,
        recentJobs: { ...recent, windowSeconds: RECENT_WINDOW_SECONDS },
        // Only where there is anything to say of it.
        ...(archive.days > 0 || archive.failing ? { archive } : {}),
        ...reads.staleness(),
      };
    },

    /** Whether each dependency answers, by name, and whether workers do what they are there for. */
    async readiness(): Promise<{
      dependencies: Record<'postgres' | 'queue' | 'worker', Dependency> & { clock?: Dependency };
    }> {
      const [postgres, queueState, workerState] = await Promise.all([
        check(async () => {
          // A server that only reads answers everything else, and nothing that is accepted would be written.
          await requireWritable(database);
          return { ok: true };
        }, 'Postgres'),
        check(async () => {
          await queue.check();
          return { ok: true };
        }, "the queue's server"),
        check(() => workersState(database, maxReadsPerSecond), 'Postgres'),
      ]);
      const trouble = clockWatch.trouble();
      return {
        dependencies: {
          postgres,
          queue: queueState,
          worker: workerState,
          // Named only when it is wrong: it is nothing that could be away.
          ...(trouble === undefined ? {} : { clock: { ok: false, reason: trouble, advice: trouble } }),
        },
      };
    },
  };
}

export type StatusService = ReturnType<typeof createStatusService>;

/** Whether workers take jobs and write what is due. */
export async function workersState(database: Database, maxReadsPerSecond: number): Promise<Dependency> {
  const patienceSeconds = 60 + (2 * MAX_BATCH_SIZE) / maxReadsPerSecond;
  const [job, stalledSeconds] = await Promise.all([lastJob(database), standstill(database, patienceSeconds)]);
  if (!doesJobs(job)) return idle(job);
  return stalledSeconds === undefined ? { ok: true } : stalled(stalledSeconds);
}

async function check(call: () => Promise<Dependency>, name: string): Promise<Dependency> {
  const { dependency } = answerBudget();
  try {
    return await withDeadline(call, dependency, () => new Error(`no answer within ${dependency} ms`));
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    const trouble = postgresTrouble(error);
    if (trouble !== undefined) return { ok: false, reason, advice: `${name} ${trouble}` };
    if (!(error instanceof DependencyUnavailableError) || error.advice === undefined)
      return { ok: false, reason };
    return { ok: false, reason, advice: `${error.dependency}: ${error.advice}` };
  }
}

function doesJobs({ ageSeconds }: LastJob): boolean {
  return ageSeconds !== null && ageSeconds <= JOB_DONE_WITHIN_SECONDS;
}

function idle({ ageSeconds }: LastJob): Dependency {
  const since =
    ageSeconds === null
      ? 'no worker has processed a job yet'
      : `no worker has processed a job for ${Math.round(ageSeconds)} s`;
  const advice = `${since}: look at the worker's log, or start one with npm run worker`;
  return { ok: false, reason: since, advice };
}

function stalled(seconds: number): Dependency {
  const since = `reads that were due ${Math.round(seconds)} s ago are not written, and no others that were due are`;
  return { ok: false, reason: since, advice: `${since}: look at the worker's log, and restart it` };
}
