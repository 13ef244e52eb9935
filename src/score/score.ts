/**
 * Room: score. Promises: what the KPIs suspect is held against the thefts that were injected, which the KPIs
 * themselves never see.
 */

import { StartupError } from '../contracts/errors.js';
import { intervalEnd } from '../contracts/intervals.js';
import type { Database } from '../db/db.js';
import { type EventScene, skippedReads, stolenReads } from '../emulator/events/applyEvents.js';
import { isLateOutage, overlaps } from '../emulator/events/feederEvent.js';
import { type FeederSpan, metersOfFeeder } from '../emulator/fleet/syntheticFleet.js';
import { silentMeters } from '../emulator/network/applyNetwork.js';
import { arrivals, arrivesAt } from '../emulator/network/lateness.js';
import { type EventRecord, theftsAndOutages } from '../events/eventTable.js';
import { type PublishedRoster, publishedSpans, snapshotMeters } from '../registry/snapshots.js';
import {
  batchesDuringThefts,
  type MeterDay,
  measuredDays,
  meterDaysOfNoTaking,
  suspiciousMeterDaySet,
  type WrittenBatch,
} from './truth.js';

/** How well the suspicious-meter view names the meters that were stolen from, over meters × days of the tenant's zone. */
export interface Score {
  from: string;
  /** Exclusive. */
  to: string;
  /** Meters × days with reads. */
  meterDays: number;
  /** Meter-days with a read that was generated under a theft, but for those that are not named and on which it took nothing: the truth. */
  injected: number;
  /** Meter-days in `v_kpi_suspicious_meters_daily`: what the reads alone say. */
  named: number;
  /** Meter-days that are both injected and named. */
  right: number;
  /** right / named; null when none was named. */
  precision: number | null;
  /** right / injected; null when none was injected. */
  recall: number | null;
  missed: MeterDay[];
  wronglyNamed: MeterDay[];
  /** Days with reads that do not count, since the ledger no longer tells how they were made. */
  leftOutDays: number;
}

/**
 * Compares evidence with truth. The truth is worked out anew from the events and the ledger, by the emulator's own
 * pure functions; nothing about it is stored with the reads. Days older than the ledger are left out.
 *
 * @throws StartupError when the tenant has no reads, or none on a day that the ledger still knows.
 */
export async function scoreSuspicion(database: Database, tenantId: string): Promise<Score> {
  const days = await measuredDays(database, tenantId);
  const { from, to, meterDays, leftOut } = days;
  if (from === null || to === null) throw new StartupError(nothingToScore(tenantId, leftOut));
  const named = await suspiciousMeterDaySet(database, tenantId, from, to);
  const events = await theftsAndOutages(database, tenantId);
  const batches = await batchesDuringThefts(database, tenantId, from, to);
  const injected = injectedMeterDays(
    tenantId,
    events,
    batches,
    await robbedFeeders(database, tenantId, events, batches),
  );
  const unnamed = new Map([...injected].filter(([key]) => !named.has(key)));
  for (const key of await meterDaysOfNoTaking(database, tenantId, unnamed)) {
    injected.delete(key);
    unnamed.delete(key);
  }
  const missed = [...unnamed.keys()].sort();
  const wronglyNamed = [...named].filter((key) => !injected.has(key)).sort();
  const right = named.size - wronglyNamed.length;
  return {
    from,
    to,
    meterDays,
    injected: injected.size,
    named: named.size,
    right,
    precision: named.size === 0 ? null : right / named.size,
    recall: injected.size === 0 ? null : right / injected.size,
    missed,
    wronglyNamed,
    leftOutDays: leftOut,
  };
}

function nothingToScore(tenantId: string, leftOut: number): string {
  if (leftOut === 0) return `Tenant ${tenantId} has no reads: publish some, then score.`;
  return `The ledger of all ${leftOut} days that tenant ${tenantId} has reads of is deleted (LEDGER_RETENTION_DAYS): publish some, then score.`;
}

/** The feeders of one fleet that have thefts, with their meters. */
type RobbedFeeders = readonly (FeederSpan & { meters: readonly string[] })[];

const rosterKey = ({ snapshotId, meterCount, feederCount }: PublishedRoster): string =>
  JSON.stringify([snapshotId, meterCount, feederCount]);

/** The robbed feeders of each fleet that the batches belong to, by `rosterKey`. */
async function robbedFeeders(
  database: Database,
  tenantId: string,
  events: readonly EventRecord[],
  batches: readonly WrittenBatch[],
): Promise<Map<string, RobbedFeeders>> {
  const robbed = new Set(events.filter(isTheft).map((event) => event.feederId));
  const rosters = new Map(batches.map(({ fleet }) => [rosterKey(fleet), fleet]));
  const found = new Map<string, RobbedFeeders>();
  for (const [key, roster] of rosters) {
    const { snapshotId } = roster;
    const spans = (await publishedSpans(database, roster)).filter(({ feederId }) => robbed.has(feederId));
    const metersOf = (span: FeederSpan): Promise<string[]> | string[] =>
      snapshotId === null
        ? metersOfFeeder(tenantId, span.feederId, roster)
        : snapshotMeters(database, snapshotId, span);
    found.set(key, await Promise.all(spans.map(async (span) => ({ ...span, meters: await metersOf(span) }))));
  }
  return found;
}

/** The meter-days with reads that were made under a theft and that no later revision has put right, with those reads. */
function injectedMeterDays(
  tenantId: string,
  events: readonly EventRecord[],
  batches: readonly WrittenBatch[],
  robbed: ReadonlyMap<string, RobbedFeeders>,
): Map<MeterDay, Date[]> {
  const byInterval = new Map<number, WrittenBatch[]>();
  for (const batch of batches) {
    const of = byInterval.get(batch.readAt.getTime());
    if (of) of.push(batch);
    else byInterval.set(batch.readAt.getTime(), [batch]);
  }
  const found = new Map<MeterDay, Date[]>();
  for (const [at, written] of byInterval) {
    const readAt = new Date(at);
    const day = written[0]?.day;
    const stolen = new Map<string, boolean>();
    for (const batch of written) {
      for (const [meter, isStolen] of readsOf(
        tenantId,
        events,
        batch,
        robbed.get(rosterKey(batch.fleet)) ?? [],
      ))
        if (batch.overwrites || !stolen.has(meter)) stolen.set(meter, isStolen);
    }
    for (const [meter, isStolen] of stolen) {
      if (!isStolen) continue;
      const key = `${day} ${meter}`;
      const reads = found.get(key);
      if (reads) reads.push(readAt);
      else found.set(key, [readAt]);
    }
  }
  return found;
}

/** The meters whose reads a batch wrote, on the feeders that have thefts, and whether each was stolen from. */
function readsOf(
  tenantId: string,
  events: readonly EventRecord[],
  batch: WrittenBatch,
  feeders: RobbedFeeders,
): Map<string, boolean> {
  const { readAt, lateAsOf } = batch;
  const isOut = ({ startAt, endAt }: EventRecord): boolean =>
    lateAsOf !== null && startAt <= lateAsOf && endAt > lateAsOf;
  const scene: EventScene = {
    tenantId,
    seed: batch.seed,
    readAt,
    intervalMinutes: batch.intervalMinutes,
    timeZone: batch.timeZone,
    metersOfFeeder: (id) => feeders.find(({ feederId }) => feederId === id)?.meters ?? [],
  };
  const known = events.filter(
    (event) =>
      (event.createdAt <= batch.generatedAt || (lateAsOf !== null && isLateOutage(event))) &&
      overlaps(event, readAt, intervalEnd(readAt, batch.intervalMinutes)),
  );
  const isLost = silentMeters(batch.network, { ...scene, intervalMinutes: batch.intervalMinutes });
  const isLater = laterMeters(batch, tenantId);
  const reads = new Map<string, boolean>();
  for (const { feederId, from, to, meters } of feeders) {
    if (to <= batch.from || from >= batch.to) continue;
    const ofFeeder = known.filter((event) => event.feederId === feederId);
    const isStolen = stolenReads(ofFeeder, scene);
    const underWay = events.filter(
      (event) => event.feederId === feederId && isLateOutage(event) && isOut(event),
    );
    const isSkipped = skippedReads(ofFeeder, {
      ...scene,
      ...(lateAsOf && { late: { asOf: lateAsOf, underWay } }),
    });
    for (const meter of meters.slice(Math.max(0, batch.from - from), batch.to - from)) {
      if (!isSkipped(meter) && !isLost(meter, feederId) && !isLater(meter)) reads.set(meter, isStolen(meter));
    }
  }
  return reads;
}

/** Whose reads the fleet's lateness brought after a batch was written. */
function laterMeters(batch: WrittenBatch, tenantId: string): (meterId: string) => boolean {
  const { lateness } = batch.network;
  if (!lateness || batch.origin === 'backfill' || batch.overwrites) return () => false;
  const arrivalOf = arrivals(lateness, { ...batch, tenantId });
  const until = batch.lateAsOf ?? arrivesAt(batch, 0);
  return (meterId) => arrivesAt(batch, arrivalOf(meterId).lateBy) > until;
}

function isTheft(event: EventRecord): boolean {
  return event.eventType === 'theft';
}
