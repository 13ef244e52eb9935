import { StartupError } from '../contracts/errors.js';
import type { Database } from '../db.js';
import { selectedMeters } from '../emulator/eventSelection.js';
import { type EventScene, skippedReads } from '../emulator/events.js';
import { overlaps } from '../emulator/feederEvent.js';
import { feederId, feederRuns, meterId, meterNumber, metersOfFeeder } from '../emulator/fleet.js';
import { intervalEnd } from '../emulator/intervals.js';
import { type EventRecord, theftsAndOutages } from '../stores/events.js';
import {
  batchesDuringThefts,
  type MeterDay,
  measuredDays,
  suspiciousMeterDaySet,
  type WrittenBatch,
} from '../stores/injections.js';

/** How well the suspicious-meter view names the meters that were stolen from, over meters × UTC days. */
export interface Score {
  from: string;
  /** Exclusive. */
  to: string;
  /** Meters × days that there are reads of. */
  meterDays: number;
  /** With a read that was generated under a theft: the truth. */
  injected: number;
  /** In `v_kpi_suspicious_meters_daily`: what the reads alone say. */
  named: number;
  /** Both. */
  right: number;
  /** right / named; null when none was named. */
  precision: number | null;
  /** right / injected; null when none was injected. */
  recall: number | null;
  missed: MeterDay[];
  wronglyNamed: MeterDay[];
}

/**
 * Compares evidence with truth. The truth is worked out anew from the events and the ledger, by the emulator's own
 * pure functions; nothing about it is stored with the reads.
 *
 * @throws StartupError when the tenant has no reads.
 */
export async function scoreSuspicion(database: Database, tenantId: string): Promise<Score> {
  const days = await measuredDays(database, tenantId);
  if (!days) throw new StartupError(`Tenant ${tenantId} has no reads: publish some, then score.`);
  const { from, to, meterDays } = days;
  const named = await suspiciousMeterDaySet(database, tenantId, from, to);
  const injected = injectedMeterDays(
    tenantId,
    await theftsAndOutages(database, tenantId),
    await batchesDuringThefts(database, tenantId, new Date(`${from}T00:00Z`), new Date(`${to}T00:00Z`)),
  );
  const missed = [...injected].filter((key) => !named.has(key)).sort();
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
  };
}

/** The meter-days with a read that stands as a theft left it: a revision after the theft makes it good again. */
function injectedMeterDays(
  tenantId: string,
  events: readonly EventRecord[],
  batches: readonly WrittenBatch[],
): Set<MeterDay> {
  const byInterval = new Map<number, WrittenBatch[]>();
  for (const batch of batches) {
    const of = byInterval.get(batch.readAt.getTime());
    if (of) of.push(batch);
    else byInterval.set(batch.readAt.getTime(), [batch]);
  }
  const found = new Set<MeterDay>();
  for (const [readAt, written] of byInterval) {
    const day = new Date(readAt).toISOString().slice(0, 10);
    const stolen = new Map<string, boolean>();
    for (const batch of written) {
      for (const [meter, isStolen] of readsOf(tenantId, events, batch))
        if (batch.overwrites || !stolen.has(meter)) stolen.set(meter, isStolen);
    }
    for (const [meter, isStolen] of stolen) if (isStolen) found.add(`${day} ${meter}`);
  }
  return found;
}

/** The meters whose reads a batch wrote, on the feeders that have thefts, and whether each was stolen from. */
function readsOf(
  tenantId: string,
  events: readonly EventRecord[],
  batch: WrittenBatch,
): Map<string, boolean> {
  const { fleet, readAt } = batch;
  const scene: EventScene = {
    tenantId,
    seed: batch.seed,
    readAt,
    metersOfFeeder: (id) => metersOfFeeder(tenantId, id, fleet),
  };
  const known = events.filter(
    (event) =>
      event.createdAt <= batch.generatedAt &&
      overlaps(event, readAt, intervalEnd(readAt, batch.intervalMinutes)),
  );
  const feeders = new Set(events.filter(isTheft).map((event) => event.feederId));
  const reads = new Map<string, boolean>();
  for (const run of feederRuns(fleet, batch.from, batch.to)) {
    const feeder = feederId(run.feeder);
    if (!feeders.has(feeder)) continue;
    const ofFeeder = known.filter((event) => event.feederId === feeder);
    const victims = new Set(ofFeeder.filter(isTheft).flatMap((event) => selectedMeters(event, scene)));
    const isSkipped = skippedReads(ofFeeder, scene);
    for (let index = 0; index < run.count; index += 1) {
      const meter = meterId(tenantId, meterNumber(run.feeder, run.firstOrdinal + index, fleet.feederCount));
      if (!isSkipped(meter)) reads.set(meter, victims.has(meter));
    }
  }
  return reads;
}

function isTheft(event: EventRecord): boolean {
  return event.eventType === 'theft';
}
