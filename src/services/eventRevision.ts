import { randomUUID } from 'node:crypto';
import { invalidField } from '../contracts/errors.js';
import type { EventRequest } from '../contracts/eventRequests.js';
import type { Queryable } from '../db.js';
import type { FeederEventType } from '../emulator/feederEvent.js';
import { feederNumber, feederRange, metersOfFeeder, type SyntheticFleet } from '../emulator/fleet.js';
import { getAlignedIntervalTimestamp, intervalEnd } from '../emulator/intervals.js';
import { hasWritten } from '../stores/publishedIntervals.js';
import type { PublishRecord } from '../stores/publishLedger.js';

/** An event that is about to be created, with what it is held against. */
export interface PlannedEvent {
  eventType: FeederEventType;
  request: EventRequest;
  startAt: Date;
  endAt: Date;
  /** The tenant's latest publish; undefined before the first. */
  latest: PublishRecord | undefined;
  /** The publish that made the latest published interval that the event overlaps. */
  overlapped: PublishRecord | undefined;
}

/**
 * The publish that revises the feeder's share of the overlapped interval: as the publish that made it, but for the
 * range, and overwriting. Undefined when nothing that the event overlaps has been published, or nothing is to be
 * applied now.
 */
export function plannedRevision(event: PlannedEvent, requestId: string): PublishRecord | undefined {
  const { request, overlapped } = event;
  if (!request.applyNow || !overlapped) return undefined;
  const range = rangeOf(request.feederId, overlapped);
  if (!range) return undefined;
  return {
    ...overlapped,
    publishId: randomUUID(),
    origin: 'revision',
    rangeFrom: range.from,
    rangeTo: range.to,
    batchCount: Math.ceil((range.to - range.from) / overlapped.batchSize),
    onConflict: 'update',
    requestId,
  };
}

/** @throws ApiError 400 when reads are to be revised of a feeder that the fleet does not have. */
export function requireKnownFeeder(event: PlannedEvent): void {
  const { request } = event;
  const fleet = event.overlapped ?? event.latest;
  if (!request.applyNow || !fleet || rangeOf(request.feederId, fleet)) return;
  const names = feederNames(fleet);
  throw invalidField(
    'feederId',
    `must be one of ${names}, the feeders of the latest published fleet, for applyNow to revise its reads`,
  );
}

/** One sentence for each thing about the event that its caller may not expect. */
export async function eventWarnings(
  database: Queryable,
  event: PlannedEvent,
  revision: PublishRecord | undefined,
): Promise<string[]> {
  const { request } = event;
  return [
    ...fleetWarnings(event),
    ...(request.applyNow && !revision ? [nothingToRevise(event)] : []),
    ...(revision && event.startAt < revision.readAt
      ? [
          `Only the interval ${revision.readAt.toISOString()} is revised, the latest published one that the event overlaps; reads of earlier intervals stay as they are.`,
        ]
      : []),
    ...(revision && event.eventType === 'comms-outage'
      ? await outageWarnings(database, event, revision)
      : []),
  ];
}

function fleetWarnings({ request, overlapped, latest }: PlannedEvent): string[] {
  const fleet = overlapped ?? latest;
  if (!fleet) return [];
  const { feederId, meterIds } = request;
  if (!rangeOf(feederId, fleet)) {
    return [
      `feederId ${feederId} is not one of ${feederNames(fleet)}, the feeders of the latest published fleet: the event shows once a fleet with that feeder is published.`,
    ];
  }
  if (meterIds === undefined) return [];
  const onFeeder = new Set(metersOfFeeder(request.tenantId, feederId, fleet));
  const here = meterIds.filter((id) => onFeeder.has(id)).length;
  if (here === meterIds.length) return [];
  const where = `on ${feederId} in the latest published fleet`;
  return here === 0
    ? [`None of the meterIds is ${where}: the event changes no read.`]
    : [
        `Only ${here} of the ${meterIds.length} meterIds ${here === 1 ? 'is' : 'are'} ${where}: the event does not concern the others.`,
      ];
}

function nothingToRevise({ request, latest, startAt }: PlannedEvent): string {
  if (!latest)
    return `Nothing has been published for ${request.tenantId} yet, so nothing is revised; the event shows in the intervals it overlaps when they are published.`;
  const first = getAlignedIntervalTimestamp(latest.intervalMinutes, startAt).toISOString();
  return `The interval ${first} has not been published yet, so nothing is revised; the event shows in it when it is.`;
}

/** An outage keeps reads from arriving; it does not take back those that have (decision 7). */
async function outageWarnings(
  database: Queryable,
  event: PlannedEvent,
  revision: PublishRecord,
): Promise<string[]> {
  const { rangeFrom, rangeTo, readAt, intervalMinutes } = revision;
  if (!event.overlapped || !(await hasWritten(database, event.overlapped, rangeFrom, rangeTo))) return [];
  const next = intervalEnd(readAt, intervalMinutes);
  const later =
    event.endAt > next
      ? `the outage shows from the interval ${next.toISOString()} on`
      : 'the outage ends before the next interval';
  return [
    `Reads of the interval ${readAt.toISOString()} that have already arrived are not deleted; ${later}.`,
  ];
}

/** Where the feeder stands on the fleet's line; undefined when it is not there or has no meters. */
function rangeOf(feederId: string, fleet: SyntheticFleet): { from: number; to: number } | undefined {
  const feeder = feederNumber(feederId, fleet);
  const range = feeder === undefined ? undefined : feederRange(feeder, fleet);
  return range && range.from < range.to ? range : undefined;
}

/** A fleet with fewer meters than feeders leaves the last feeders empty. */
function feederNames({ feederCount, meterCount }: SyntheticFleet): string {
  return `FEEDER_1 to FEEDER_${Math.min(feederCount, meterCount)}`;
}
