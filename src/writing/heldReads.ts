import type { BatchJob } from '../contracts/batchJob.js';
import { createRandomness, STREAM, subjectOf } from '../emulator/chance/random.js';
import { type EventScene, heldBackReads } from '../emulator/events/applyEvents.js';
import { type FeederEvent, isLateOutage } from '../emulator/events/feederEvent.js';
import type { NewHold } from '../ledger/heldReads.js';

/** Consecutive meters of one feeder in a batch. */
export interface FeederMeters {
  feederId: string;
  meterIds: readonly string[];
}

const QUARTER_HOUR_MS = 900_000;
/** Fewer meters than these are delivered together. */
const CUT_FROM = 20;
/** This share of the deliveries comes twice. */
const COPIED_SHARE = 0.05;

/**
 * What outages keep a batch from writing for now, in the pieces in which it is delivered after them. Where pieces begin and
 * end, their order and which come twice is drawn from the seed, by feeder, interval and position.
 *
 * @param runs the batch's meters in the order of the roster. Where some have left the registry, a piece is the whole batch.
 */
export function heldReads(
  job: BatchJob,
  runs: readonly FeederMeters[],
  events: readonly FeederEvent[],
  scene: EventScene,
): NewHold[] {
  const outages = [...events, ...(scene.late?.underWay ?? [])].filter(isLateOutage);
  const isWhole = runs.reduce((sum, { meterIds }) => sum + meterIds.length, 0) === job.to - job.from;
  const holds: NewHold[] = [];
  let position = job.from;
  for (const { feederId, meterIds } of runs) {
    const first = position;
    position += meterIds.length;
    if (!outages.some((outage) => outage.feederId === feederId)) continue;
    const heldBy = heldBackReads(ofFeeder(events, feederId), {
      ...scene,
      ...(scene.late && {
        late: { ...scene.late, underWay: ofFeeder(scene.late.underWay, feederId) },
      }),
    });
    const held = meterIds.flatMap((meterId, index) => {
      const eventIds = heldBy(meterId);
      return eventIds.length > 0 ? [{ meterId, at: first + index, eventIds }] : [];
    });
    for (const piece of cut(held, scene, feederId)) {
      const [from, to] = [piece[0]?.at ?? 0, (piece.at(-1)?.at ?? 0) + 1];
      holds.push(...deliveries(piece, isWhole ? { from, to } : job, scene, feederId));
    }
  }
  return holds;
}

interface HeldRead {
  meterId: string;
  at: number;
  eventIds: readonly string[];
}

function ofFeeder(events: readonly FeederEvent[], feederId: string): FeederEvent[] {
  return events.filter((event) => event.feederId === feederId);
}

/** The reads in one piece, or in two that are cut somewhere between a fifth and four fifths. */
function cut(held: readonly HeldRead[], scene: EventScene, feederId: string): HeldRead[][] {
  if (held.length === 0) return [];
  if (held.length < CUT_FROM) return [[...held]];
  const draw = drawOf(STREAM.deliveryCut, scene, feederId, held[0]?.at ?? 0);
  const at = Math.floor(held.length * (0.2 + 0.6 * draw));
  return [held.slice(0, at), held.slice(at)];
}

function deliveries(
  piece: readonly HeldRead[],
  { from, to }: { from: number; to: number },
  scene: EventScene,
  feederId: string,
): NewHold[] {
  const at = piece[0]?.at ?? 0;
  const draw = (stream: number): number => drawOf(stream, scene, feederId, at);
  const hold = {
    ...{ feederId, from, to },
    meterIds: piece.map(({ meterId }) => meterId),
    eventIds: [...new Set(piece.flatMap(({ eventIds }) => eventIds))].sort(),
    place: draw(STREAM.deliveryPlace),
  };
  const copied = draw(STREAM.deliveryCopy);
  if (copied >= COPIED_SHARE) return [hold];
  return [hold, { ...hold, meterIds: [], place: copied / COPIED_SHARE }];
}

/** A draw for the read of one position: a re-delivery of the same reads draws the same. */
function drawOf(
  stream: number,
  { seed, tenantId, readAt }: EventScene,
  feederId: string,
  at: number,
): number {
  return createRandomness(seed, tenantId).uniform(
    stream,
    subjectOf(`${feederId} ${at}`),
    readAt.getTime() / QUARTER_HOUR_MS,
  );
}
