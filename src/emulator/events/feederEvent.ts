import type { Delivery, TheftForm } from '../../contracts/eventRequest.js';

/** What can happen to a feeder; each name is the last part of its route. */
export const FEEDER_EVENT_TYPES = ['theft', 'comms-outage', 'voltage-sag'] as const;
export type FeederEventType = (typeof FEEDER_EVENT_TYPES)[number];

/** An event, as far as reads depend on it. At most one of `meterIds` and `meterFraction` is set. */
export interface FeederEvent {
  id: string;
  feederId: string;
  eventType: FeederEventType;
  /** 0 to 1. */
  severity: number;
  startAt: Date;
  /** Exclusive. */
  endAt: Date;
  /** Only these of the feeder's meters. */
  meterIds: readonly string[] | null;
  /** Only this share of the feeder's meters, over 0 up to 1. */
  meterFraction: number | null;
  /** Of an outage, lost where nothing is said; null of other events. */
  delivery?: Delivery | null;
  /** Of a theft, constant where nothing is said; null of other events. */
  form?: TheftForm | null;
}

/** Whether an event is an outage whose reads are delivered after it. */
export function isLateOutage({ eventType, delivery }: Pick<FeederEvent, 'eventType' | 'delivery'>): boolean {
  return eventType === 'comms-outage' && delivery === 'late';
}

/**
 * Whether an event touches the interval `[intervalStart, intervalEnd)`. It then affects the whole of it (D6).
 * An event that was stopped before it began is empty and touches nothing.
 */
export function overlaps(
  event: Pick<FeederEvent, 'startAt' | 'endAt'>,
  intervalStart: Date,
  intervalEnd: Date,
): boolean {
  return event.startAt < event.endAt && event.startAt < intervalEnd && event.endAt > intervalStart;
}
