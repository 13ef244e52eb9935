import { Gauge, type Registry } from 'prom-client';
import type { LaneCounts } from '../queues/amiQueue.js';
import type { Figures, TenantAge } from './figures.js';

/** What the gauges of the deployment are set from; a part that was not found out is undefined, and is then not shown. */
export interface Found {
  dependencies: Record<string, boolean>;
  jobs: LaneCounts | undefined;
  figures: Figures | undefined;
  tenants: { tenants: number; shown: TenantAge[] } | undefined;
  /** How long Postgres took for the figures, seconds. */
  askedSeconds: number | undefined;
}

/** The gauges of the deployment; what it gives back sets them all anew. */
export function createDeploymentGauges(
  registry: Registry,
  maxReadsPerSecond: number,
): (found: Found) => void {
  const toClear: (() => void)[] = [];
  /** A gauge that has no value until it is set, and none again after it was cleared. */
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[] = [],
  ): Gauge<Label> => {
    const made = new Gauge({ name: `gridlens_${name}`, help, labelNames, registers: [registry] });
    // prom-client 15.1.3: `reset` makes the one value of a gauge without labels 0, which would be a statement.
    const clear = () => (labelNames.length === 0 ? made.remove() : made.reset());
    clear();
    toClear.push(clear);
    return made;
  };

  new Gauge({
    name: 'gridlens_pace_limit_reads_per_second',
    help: 'The read limit of the deployment.',
    registers: [registry],
  }).set(maxReadsPerSecond);
  const up = gauge(
    'dependency_up',
    'Whether postgres, queue and worker did their work when last looked at: 1 or 0.',
    ['dependency'],
  );
  const answer = gauge(
    'database_answer_seconds',
    'How long Postgres took for the figures of this page, all statements together.',
  );
  const jobs = gauge(
    'queue_jobs',
    'Jobs in the queue by lane and state. Without a value the queue did not answer.',
    ['lane', 'state'],
  );
  const batches = gauge('pending_batches', 'Batches that are accepted and not written yet, by lane.', [
    'lane',
  ]);
  const reads = gauge(
    'pending_reads',
    'Reads of the batches that are accepted and not written yet, by lane.',
    ['lane'],
  );
  const overdue = gauge('overdue_seconds', 'By how much the longest overdue live batch is late; 0: none is.');
  const automatic = gauge('automatic_tenants', 'Tenants whose automatic mode runs by the wall clock.');
  const without = gauge(
    'tenants_without_tick',
    'Automatic tenants whose interval under way has no publish two minutes after its boundary.',
  );
  const recent = gauge(
    'recent_intervals',
    'Intervals that automatic modes published in the last hour: while they ran (in_time) or afterwards (late).',
    ['punctuality'],
  );
  const owed = gauge('owed_intervals', 'Intervals that automatic modes have taken on and not published yet.');
  const replay = gauge('replay_intervals_left', 'Intervals that replays are away from now.');
  const backfill = gauge(
    'backfill_intervals_left',
    'Intervals that unfinished backfills have not come to yet.',
  );
  const events = gauge('active_events', 'Events that are active by the wall clock, by type.', ['type']);
  const archived = gauge('archived_partitions', 'Days of reads that were archived and dropped.');
  const unarchived = gauge(
    'archive_failures',
    'Days of reads that could not be archived at the latest try: they are kept.',
  );
  const tenants = gauge('tenants', 'Tenants that have reads; at most 1,000 are counted.');
  const readAge = gauge(
    'latest_read_age_seconds',
    'Age of the start of the latest interval with a read, of at most 50 tenants: automatic ones and the oldest first.',
    ['tenant', 'automatic'],
  );
  const rollupAge = gauge(
    'rollup_age_seconds',
    'Time since a read last changed the sums of the latest day, for the same tenants.',
    ['tenant'],
  );

  const showFigures = (found: Figures): void => {
    for (const { lane, batches: pending, reads: left } of found.pending) {
      batches.set({ lane }, pending);
      reads.set({ lane }, left);
    }
    overdue.set(found.overdueSeconds);
    automatic.set(found.automaticTenants);
    without.set(found.tenantsWithoutTick);
    recent.set({ punctuality: 'in_time' }, found.intervalsInTime);
    recent.set({ punctuality: 'late' }, found.intervalsLate);
    owed.set(found.intervalsOwed);
    replay.set(Math.floor(found.replayIntervalsLeft));
    backfill.set(found.backfillIntervalsLeft);
    archived.set(found.archivedDays);
    unarchived.set(found.archiveFailures);
    for (const { eventType, active } of found.events) events.set({ type: eventType }, active);
  };

  return (found) => {
    // An old depth would look like a queue that stands still, an old age like one that grows no more.
    for (const clear of toClear) clear();
    for (const [dependency, isUp] of Object.entries(found.dependencies)) up.set({ dependency }, isUp ? 1 : 0);
    for (const [lane, states] of Object.entries(found.jobs ?? {}))
      for (const [state, count] of Object.entries(states)) jobs.set({ lane, state }, count);
    if (found.figures) showFigures(found.figures);
    if (found.askedSeconds !== undefined) answer.set(found.askedSeconds);
    if (!found.tenants) return;
    tenants.set(found.tenants.tenants);
    for (const { tenantId: tenant, automatic: isAutomatic, ...ages } of found.tenants.shown) {
      readAge.set({ tenant, automatic: String(isAutomatic) }, ages.readAgeSeconds);
      rollupAge.set({ tenant }, ages.rollupAgeSeconds);
    }
  };
}
