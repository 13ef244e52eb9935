/**
 * Room: events. Promises: an accepted event shows in every read that is made after it, and with `applyNow` in the
 * latest interval at once.
 */

import type { TenantClock } from '../automatic/tenantClock.js';
import { ApiError } from '../contracts/errors.js';
import {
  type EventRequest,
  type EventsQuery,
  MAX_EVENT_MINUTES,
  requireNewFeederId,
  requireStartInRange,
} from '../contracts/eventRequest.js';
import { intervalEnd, keptSince } from '../contracts/intervals.js';
import { type Database, type Queryable, rethrowUnavailable, withTransaction } from '../db/db.js';
import { type FeederEventType, isLateOutage } from '../emulator/events/feederEvent.js';
import { lateReads } from '../ledger/heldReads.js';
import { publishOfLatestInterval } from '../ledger/publishedIntervals.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import { lockAdmission } from '../pacing/pacingRow.js';
import type { Admission, Admitted } from '../publishing/admission.js';
import { publishedSpans } from '../registry/snapshots.js';
import { findFeederId } from '../registry/survey.js';
import type { RegistryMapping } from '../schema/mapping.js';
import {
  type EventRecord,
  findEvent,
  insertEvent,
  type ListedEvent,
  listEvents,
  METERS_LISTED,
  stopEvent,
} from './eventTable.js';
import { eventWarnings, type PlannedEvent, plannedRevision, requireKnownFeeder } from './revision.js';

interface EventOptions {
  database: Database;
  admission: Admission;
  /** Knows feeders by other names than their ids, too. */
  registry: RegistryMapping;
  readsRetentionDays: number | undefined;
  clock: TenantClock;
}

/** Pilot events: posted, listed, ended early. What they do to reads is the worker's (`batchRunner`). */
export function createEventService({
  database,
  admission,
  registry,
  readsRetentionDays,
  clock,
}: EventOptions) {
  /** The publishes that the event is about, and the feeders of their fleet. */
  const publishedFor = async (
    request: EventRequest,
    overlapping: (client: Queryable, feederId: string) => Promise<PublishRecord | undefined>,
  ) => {
    const [latest, overlapped] = await Promise.all([
      publishOfLatestInterval(database, request.tenantId, request.feederId),
      request.applyNow ? overlapping(database, request.feederId) : undefined,
    ]);
    const fleet = overlapped ?? latest;
    return { request, latest, overlapped, feeders: fleet ? await publishedSpans(database, fleet) : [] };
  };

  /** Creates the event and admits its revision, if it has one: both or neither. */
  const create = async (eventType: FeederEventType, asked: EventRequest, requestId: string, at: Date) => {
    const { startAt, endAt, warnings } = timesOf(asked, at);
    const overlapping = (client: Queryable, feederId: string): Promise<PublishRecord | undefined> =>
      publishOfLatestInterval(
        client,
        asked.tenantId,
        feederId,
        { from: startAt, to: endAt },
        keptSince(at, readsRetentionDays),
      );
    let published = await publishedFor(asked, overlapping);
    let isRegistered = false;
    if (!published.feeders.some(({ feederId }) => feederId === asked.feederId)) {
      // The registry may know the feeder by a name or a code. A name that nobody knows stays as it is.
      const feederId = await findFeederId(database, registry, asked.tenantId, asked.feederId);
      isRegistered = feederId !== undefined;
      if (feederId === undefined) requireNewFeederId(asked.feederId);
      if (feederId !== undefined && feederId !== asked.feederId)
        published = await publishedFor({ ...asked, feederId }, overlapping);
    }
    const { request, overlapped } = published;
    const planned: PlannedEvent = { ...published, eventType, startAt, endAt, isRegistered };
    requireKnownFeeder(planned);
    const revision = plannedRevision(planned, requestId);
    const safetyWarnings = [...warnings, ...(await eventWarnings(database, planned, revision))];

    let event: EventRecord | undefined;
    const insert = async (client: Queryable): Promise<void> => {
      // Under the admission's lock: a publish accepted since the look above may be generated without this event.
      if (
        request.applyNow &&
        (await overlapping(client, request.feederId))?.publishId !== overlapped?.publishId
      )
        throw new PublishedMeanwhileError();
      event = await insertEvent(client, {
        tenantId: request.tenantId,
        feederId: request.feederId,
        eventType,
        severity: request.severity,
        startAt,
        endAt,
        meterIds: request.meterIds ?? null,
        meterFraction: request.meterFraction ?? null,
        delivery: eventType === 'comms-outage' ? (request.delivery ?? 'lost') : null,
        form: eventType === 'theft' ? (request.form ?? 'constant') : null,
      });
    };
    let admitted: Admitted | undefined;
    if (revision) admitted = await admission.admit(revision, insert);
    else if (request.applyNow)
      await withTransaction(database, async (client) => {
        await lockAdmission(client);
        await insert(client);
      });
    else await insert(database);
    return { event: event as unknown as EventRecord, revision, admitted, safetyWarnings };
  };

  return {
    /**
     * @throws ApiError 400 for a start out of range, or with `applyNow` for a feeder that is not there.
     * @throws what `Admission.admit` throws, when there is something to revise; then there is no event either.
     */
    async create(eventType: FeederEventType, request: EventRequest, requestId: string) {
      const at = await clock(request.tenantId);
      const attempt = () => create(eventType, request, requestId, at);
      // One retry is enough, except at a boundary at which many tenants tick; the third error is thrown.
      const created = await attempt()
        .catch(onceMore(attempt))
        .catch(onceMore(attempt))
        .catch(rethrowUnavailable);
      return {
        event: eventAnswer(created.event, at),
        ...(request.applyNow ? { revision: revisionAnswer(created.revision, created.admitted) } : {}),
        safetyWarnings: created.safetyWarnings,
      };
    },

    /** A page, latest start first. `next` is there when events follow: what to ask for them with, as `after`. */
    async list({ tenantId, active, limit, after }: EventsQuery) {
      const at = await clock(tenantId);
      // One more than the page has, to know whether any follows.
      const found = await listEvents(database, tenantId, at, { active, limit: limit + 1, after }).catch(
        rethrowUnavailable,
      );
      const events = found.slice(0, limit);
      return {
        tenantId,
        events: events.map((event) => listedAnswer(event, at)),
        ...(found.length > limit ? { next: (events.at(-1) as EventRecord).id } : {}),
      };
    },

    /**
     * An event with all of its meters, and of a late outage what became of its reads.
     *
     * @throws ApiError 404 when there is no such event.
     */
    async find(id: string) {
      const found = await findEvent(database, id).catch(rethrowUnavailable);
      if (!found) throw noSuchEvent(id);
      const event = eventAnswer(found, await clock(found.tenantId));
      if (!isLateOutage(found)) return { event };
      return { event: { ...event, lateReads: await lateReads(database, id).catch(rethrowUnavailable) } };
    },

    /**
     * Ends an event now. An event that is over stays as it is, and so do reads that were generated with one.
     *
     * @throws ApiError 404 when there is no such event.
     */
    async stop(id: string) {
      const found = await findEvent(database, id).catch(rethrowUnavailable);
      if (!found) throw noSuchEvent(id);
      const at = await clock(found.tenantId);
      const event = await stopEvent(database, id, at)
        .then((stopped) => stopped ?? findEvent(database, id))
        .catch(rethrowUnavailable);
      return { event: eventAnswer(event ?? found, at) };
    },
  };
}

export type EventService = ReturnType<typeof createEventService>;

/** Thrown inside the admission's transaction, to roll it back. */
class PublishedMeanwhileError extends Error {
  override name = 'PublishedMeanwhileError';
}

function onceMore<T>(attempt: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (error instanceof PublishedMeanwhileError) return attempt();
    throw error;
  };
}

function timesOf(request: EventRequest, now: Date): { startAt: Date; endAt: Date; warnings: string[] } {
  const startAt = request.startAt ?? now;
  requireStartInRange(startAt, now);
  const minutes = Math.min(request.durationMinutes, MAX_EVENT_MINUTES);
  const warnings =
    minutes < request.durationMinutes
      ? [
          `durationMinutes was lowered from ${request.durationMinutes} to ${minutes}: an event lasts at most 30 days.`,
        ]
      : [];
  return { startAt, endAt: new Date(startAt.getTime() + minutes * 60_000), warnings };
}

function noSuchEvent(id: string): ApiError {
  return new ApiError(404, 'not_found', `id ${id} is not the id of an event.`);
}

/** As an event alone, and with a count where `meterIds` has only the first of them. */
function listedAnswer(event: ListedEvent, now: Date) {
  const { meterIdCount } = event;
  const isCut = meterIdCount !== null && meterIdCount > METERS_LISTED;
  return { ...eventAnswer(event, now), ...(isCut ? { meterIdCount } : {}) };
}

/** The state by the clock, right to the second: the table's `is_active` follows within the upkeep's 10 s. */
function eventAnswer(event: EventRecord, now: Date) {
  // An event that was stopped before it began ends at its start, which is still to come.
  const isOver = event.endAt <= now || event.stoppedAt !== null;
  const state = isOver ? 'ended' : event.startAt <= now ? 'active' : 'scheduled';
  return {
    id: event.id,
    tenantId: event.tenantId,
    feederId: event.feederId,
    eventType: event.eventType,
    severity: event.severity,
    startAt: event.startAt,
    endAt: event.endAt,
    isActive: state === 'active',
    state,
    meterIds: event.meterIds,
    meterFraction: event.meterFraction,
    ...(event.delivery ? { delivery: event.delivery } : {}),
    ...(event.form ? { form: event.form } : {}),
    stoppedAt: event.stoppedAt,
    createdAt: event.createdAt,
  };
}

function revisionAnswer(revision: PublishRecord | undefined, admitted: Admitted | undefined) {
  if (!revision || !admitted) return null;
  return {
    publishId: revision.publishId,
    readAt: revision.readAt,
    intervalStart: revision.readAt,
    intervalEnd: intervalEnd(revision.readAt, revision.intervalMinutes),
    enqueuedJobs: revision.batchCount,
    computedMeters: revision.rangeTo - revision.rangeFrom,
    estimatedRuntimeSeconds: Math.ceil(admitted.lastStartInMs / 100) / 10,
  };
}
