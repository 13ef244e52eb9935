import { randomUUID } from 'node:crypto';
import { invalidField } from '../contracts/errors.js';
import type { EventRequest } from '../contracts/eventRequest.js';
import { getAlignedIntervalTimestamp, intervalEnd } from '../contracts/intervals.js';
import { MAX_FEEDER_COUNT, MAX_METER_COUNT } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import type { FeederEventType } from '../emulator/events/feederEvent.js';
import { type FeederSpan, feederNumber, metersOfFeeder } from '../emulator/fleet/syntheticFleet.js';
import { batchCount } from '../ledger/batchRange.js';
import { hasWritten } from '../ledger/publishedIntervals.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import { snapshotMeters } from '../registry/snapshots.js';

/** An event that is about to be created, with what has been published about its feeder. */
export interface PlannedEvent {
  eventType: FeederEventType;
  request: EventRequest;
  startAt: Date;
  endAt: Date;
  /** The tenant's latest publish; undefined before the first. */
  latest: PublishRecord | undefined;
  /** The publish that made the latest published interval that the event overlaps. */
  overlapped: PublishRecord | undefined;
  /** The feeders of `overlapped`, else of `latest`; none without either. */
  feeders: readonly FeederSpan[];
  /** Whether the tenant's registry has the feeder. Only looked up for a feeder that is not among `feeders`. */
  isRegistered: boolean;
}

/**
 * The publish that revises the feeder's share of the overlapped interval: a copy of the publish that made the interval,
 * limited to the feeder's range, overwriting, and in the live lane whatever lane that one had. Undefined when nothing
 * that the event overlaps has been published, or nothing is to be applied now.
 */
export function plannedRevision(event: PlannedEvent, requestId: string): PublishRecord | undefined {
  const { request, overlapped } = event;
  if (!request.applyNow || !overlapped) return undefined;
  const range = spanOf(event);
  if (!range) return undefined;
  return {
    ...overlapped,
    publishId: randomUUID(),
    origin: 'revision',
    lane: 'live',
    rangeFrom: range.from,
    rangeTo: range.to,
    batchCount: batchCount(range.to - range.from, overlapped.batchSize),
    onConflict: 'update',
    requestId,
  };
}

/** @throws ApiError 400 when the reads of a feeder are to be revised that the fleet does not have. */
export function requireKnownFeeder(event: PlannedEvent): void {
  const { request } = event;
  const fleet = event.overlapped ?? event.latest;
  if (!request.applyNow || !fleet || spanOf(event)) return;
  const names = feederNames(event.feeders);
  throw invalidField(
    'feederId',
    `must be one of ${names}, the feeders of the latest published fleet, for applyNow to revise its reads`,
  );
}

/** One sentence per thing about the event that its caller may not expect. */
export async function eventWarnings(
  database: Queryable,
  event: PlannedEvent,
  revision: PublishRecord | undefined,
): Promise<string[]> {
  const { request } = event;
  return [
    ...(await fleetWarnings(database, event)),
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

const LARGEST_FLEET = { meterCount: MAX_METER_COUNT, feederCount: MAX_FEEDER_COUNT };

async function fleetWarnings(database: Queryable, event: PlannedEvent): Promise<string[]> {
  const fleet = event.overlapped ?? event.latest;
  const { feederId, meterIds, tenantId } = event.request;
  if (!fleet) {
    const known = event.isRegistered || feederNumber(feederId, LARGEST_FLEET) !== undefined;
    return known
      ? []
      : [
          `feederId ${feederId} is not a feeder of the registry, nor FEEDER_1 to FEEDER_${MAX_FEEDER_COUNT} as in a synthetic fleet: the event shows once a fleet with that feeder is published.`,
        ];
  }
  const span = spanOf(event);
  if (!span) {
    return [
      `feederId ${feederId} is not one of ${feederNames(event.feeders)}, the feeders of the latest published fleet: the event shows once a fleet with that feeder is published.`,
    ];
  }
  if (meterIds === undefined) return [];
  const onFeeder = new Set(
    fleet.snapshotId === null
      ? metersOfFeeder(tenantId, feederId, fleet)
      : await snapshotMeters(database, fleet.snapshotId, span),
  );
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

/** An outage keeps reads from arriving; it does not take back reads that have arrived (D7). */
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

/** Where the event's feeder stands on the fleet's roster; undefined when it is not there or has no meters. */
function spanOf({ request, feeders }: PlannedEvent): FeederSpan | undefined {
  return feeders.find(({ feederId }) => feederId === request.feederId);
}

/** How many feeders a sentence names: a registry's may have long names. */
const NAMES_LISTED = 5;

/** `FEEDER_1 to FEEDER_25`, or the first few when the feeders are named otherwise. */
function feederNames(feeders: readonly FeederSpan[]): string {
  const names = feeders.map(({ feederId }) => feederId);
  if (names.length > 1 && names.every((name, index) => name === `FEEDER_${index + 1}`))
    return `FEEDER_1 to FEEDER_${names.length}`;
  const more = names.length - NAMES_LISTED;
  return more > 0 ? `${names.slice(0, NAMES_LISTED).join(', ')} and ${more} more` : names.join(', ');
}
