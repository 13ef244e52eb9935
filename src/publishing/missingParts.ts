import { randomUUID } from 'node:crypto';
import type { Lane } from '../contracts/batchJob.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import { MAX_JOBS_PER_TICK, MAX_METER_COUNT } from '../contracts/limits.js';
import type { PublishOrigin } from '../contracts/publishAnswer.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { feederRuns, meterId, meterNumber } from '../emulator/fleet/syntheticFleet.js';
import { batchCount, batchRange } from '../ledger/batchRange.js';
import { emulationValues } from '../ledger/emulationColumns.js';
import {
  isPrunedOtherwise,
  type LateArrival,
  type LedgerPublish,
  lateArrivals,
  ledgerOfInterval,
  overlappingPublish,
  readsOfInterval,
  readsOfMeters,
} from '../ledger/intervalLedger.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import { snapshotMeters } from '../registry/snapshots.js';
import { TICK_JOBS } from './plan.js';
import { type PublishPlanner, publishRecord } from './publishPlanner.js';
import { type Range, uncovered } from './uncovered.js';

/** As what, and in which lane, the missing parts are published. */
export interface PartsAs {
  origin: PublishOrigin;
  lane: Lane;
  requestId: string;
}

/** What there is of an interval. */
export interface IntervalState {
  /** The publishes that would make the interval whole; none when it is whole, or on its way. */
  records: PublishRecord[];
  /** The publish that its reads come from, or in whose interval it lies; undefined when there is none. */
  governing: string | undefined;
  /** Publishes on their way that the interval needs to be whole: their batches may yet fail. */
  pending: string[];
  /** Whether the interval is left alone because intervals of another length have measured the same time. */
  isOverlapped: boolean;
}

export interface MissingParts {
  /**
   * Looks at an interval: what the ledger says is owed or done, and whether the reads are still there.
   *
   * @throws ApiError 400 when the registry has nothing to publish.
   */
  look(settings: FleetSettings, readAt: Date, as: PartsAs): Promise<IntervalState>;
}

/**
 * Finds the parts of an interval that no publish has taken on. A pending or done batch covers its positions on the
 * fleet's roster. A failed or cancelled batch does not, and neither does one whose reads have been deleted since. A
 * publish of more meters covers a fleet of fewer.
 */
export function createMissingParts({
  database,
  planner,
}: {
  database: Database;
  planner: PublishPlanner;
}): MissingParts {
  const look = async (settings: FleetSettings, readAt: Date, as: PartsAs): Promise<IntervalState> => {
    const { tenantId, intervalMinutes } = settings;
    const publishes = await ledgerOfInterval(database, tenantId, readAt);
    const governing = publishes[0]?.publishId;
    const layouts = layoutsOf(publishes.filter((publish) => isLargeEnough(publish, settings)));
    const covering = layouts.find((layout) => gapsOf(layout).length === 0);
    if (covering) {
      const lost = await lostRanges(database, covering, readAt);
      const isOverlapped = covering[0].intervalMinutes !== intervalMinutes;
      return {
        governing,
        records: recordsOf(covering, lost, as),
        pending: pendingOf(covering),
        isOverlapped,
      };
    }
    // An hour and its quarter hours must not both be measured: their energy would count twice.
    const overlapping = await overlappingPublish(database, tenantId, readAt, intervalMinutes);
    if (overlapping !== undefined || (await isPrunedOtherwise(database, tenantId, readAt, intervalMinutes)))
      return { governing: overlapping ?? governing, records: [], pending: [], isOverlapped: true };
    const [nearest] = layouts.toSorted((a, b) => missingMeters(a) - missingMeters(b));
    const [first] = nearest ?? [];
    if (nearest && first && missingMeters(nearest) < first.meterCount) {
      const records = recordsOf(nearest, gapsOf(nearest), as);
      return { governing, records, pending: pendingOf(nearest), isOverlapped: false };
    }
    const plan = await planner.planAgain(settings, TICK_JOBS);
    const record = publishRecord(settings, plan, { ...as, readAt, onConflict: 'nothing' });
    return { governing, records: [record], pending: [], isOverlapped: false };
  };
  return {
    look: (settings, readAt, as) => look(settings, readAt, as).catch(rethrowUnavailable),
  };
}

/** Publishes of one roster, made alike: a position means the same meter for all, and the same reads. Never empty. */
type Layout = [LedgerPublish, ...LedgerPublish[]];

function layoutsOf(publishes: readonly LedgerPublish[]): Layout[] {
  const layouts = new Map<string, Layout>();
  for (const publish of publishes) {
    const { snapshotId, meterCount, feederCount, emulation } = publish;
    const key = JSON.stringify([snapshotId, meterCount, feederCount, emulationValues(emulation)]);
    const layout = layouts.get(key);
    if (layout) layout.push(publish);
    else layouts.set(key, [publish]);
  }
  return [...layouts.values()];
}

/** Whether the fleet of this publish has all meters that the settings ask for. */
function isLargeEnough(publish: LedgerPublish, { fleet, meterCount, batchSize }: FleetSettings): boolean {
  const { snapshotMeters } = publish;
  if ((fleet === 'registry') !== (snapshotMeters !== null)) return false;
  const most = Math.min(MAX_METER_COUNT, MAX_JOBS_PER_TICK * batchSize, snapshotMeters ?? MAX_METER_COUNT);
  return publish.meterCount >= Math.min(meterCount ?? most, most);
}

interface Part extends Range {
  state: LedgerPublish['batches'][number]['state'];
  arrived: number;
  acceptedAt: Date;
}

/** The batches of a layout by their positions, the last accepted first. */
function partsOf(layout: Layout): Part[] {
  return layout
    .toSorted((a, b) => b.acceptedAt.getTime() - a.acceptedAt.getTime())
    .flatMap((publish) =>
      publish.batches.map(({ batch, state, arrived }) => ({
        ...{ ...batchRange(publish, batch), state, arrived },
        acceptedAt: publish.acceptedAt,
      })),
    );
}

function gapsOf(layout: Layout): Range[] {
  const covering = partsOf(layout).filter(({ state }) => state === 'pending' || state === 'done');
  return uncovered(layout[0].meterCount, covering);
}

/** Publishes that a layout still waits for; none when what is written covers all of it. */
function pendingOf(layout: Layout): string[] {
  const written = partsOf(layout).filter(({ state }) => state === 'done');
  if (uncovered(layout[0].meterCount, written).length === 0) return [];
  return layout
    .filter(({ batches }) => batches.some(({ state }) => state === 'pending'))
    .map(({ publishId }) => publishId);
}

function missingMeters(layout: Layout): number {
  return gapsOf(layout).reduce((sum, { from, to }) => sum + to - from, 0);
}

/**
 * Positions whose reads were written and are gone: somebody deleted them, or restored an older copy. When a part was
 * written twice, the last batch says how many reads there should be, since an outage may have skipped some the second
 * time. What an outage still holds back is not missed; what came late since is, when it is gone.
 */
async function lostRanges(database: Database, layout: Layout, readAt: Date): Promise<Range[]> {
  const { tenantId } = layout[0];
  const written: Part[] = [];
  for (const part of partsOf(layout))
    if (!written.some(({ from, to }) => from < part.to && part.from < to)) written.push(part);
  const latest = withLateArrivals(written, layout, await lateArrivals(database, tenantId, readAt));
  const expected = latest.reduce((sum, { arrived }) => sum + arrived, 0);
  if (
    latest.some(({ state }) => state === 'pending') ||
    (await readsOfInterval(database, tenantId, readAt)) >= expected
  )
    return [];
  const kept: Range[] = [];
  for (const part of latest) {
    const ids = await metersAt(database, layout[0], part);
    if ((await readsOfMeters(database, tenantId, readAt, ids)) >= part.arrived) kept.push(part);
  }
  return uncovered(layout[0].meterCount, kept);
}

/** The parts with what late deliveries have brought to each since it was accepted. */
function withLateArrivals(parts: readonly Part[], layout: Layout, late: readonly LateArrival[]): Part[] {
  const ofRoster = late.filter(
    ({ snapshotId, meterCount, feederCount }) =>
      snapshotId === layout[0].snapshotId &&
      meterCount === layout[0].meterCount &&
      feederCount === layout[0].feederCount,
  );
  return parts.map((part) => {
    const since = ofRoster.filter(
      ({ from, to, acceptedAt }) => from >= part.from && to <= part.to && acceptedAt >= part.acceptedAt,
    );
    return { ...part, arrived: part.arrived + since.reduce((sum, { inserted }) => sum + inserted, 0) };
  });
}

async function metersAt(database: Database, publish: LedgerPublish, { from, to }: Range): Promise<string[]> {
  const { tenantId, snapshotId, feederCount } = publish;
  if (snapshotId !== null) return snapshotMeters(database, snapshotId, { from, to });
  return feederRuns(publish, from, to).flatMap(({ feeder, firstOrdinal, count }) =>
    Array.from({ length: count }, (_, index) =>
      meterId(tenantId, meterNumber(feeder, firstOrdinal + index, feederCount)),
    ),
  );
}

/**
 * Publishes of parts of a layout, like the layout's own publishes except for the number of jobs: a publish by hand may
 * have had more than a tick may. Many small parts become one part; what lies between them is written already and stays.
 */
function recordsOf(layout: Layout, parts: readonly Range[], as: PartsAs): PublishRecord[] {
  const records = parts.map((part) => partOf(layout, part, as));
  const jobs = records.reduce((sum, { batchCount }) => sum + batchCount, 0);
  if (jobs <= MAX_JOBS_PER_TICK) return records;
  const [from, to] = [parts[0]?.from ?? 0, parts.at(-1)?.to ?? 0];
  return [partOf(layout, { from, to }, as)];
}

function partOf(layout: Layout, { from, to }: Range, { origin, lane, requestId }: PartsAs): PublishRecord {
  const { batches, acceptedAt, snapshotMeters, ...publish } = layout[0];
  const batchSize = Math.max(publish.batchSize, Math.ceil((to - from) / MAX_JOBS_PER_TICK));
  return {
    ...publish,
    publishId: randomUUID(),
    origin,
    lane,
    rangeFrom: from,
    rangeTo: to,
    batchSize,
    batchCount: batchCount(to - from, batchSize),
    onConflict: 'nothing',
    requestId,
  };
}
