/** What a tenant must hold, predicted from the commands alone: no clock, no I/O. */

/** How a quarter hour of a feeder was made: by the voltage its reads must show. */
export type Voltage = 'usual' | 'sagged' | 'either';

export interface Slot {
  /** Whether its reads must all be there; else none or some may be. */
  isCertain: boolean;
  /** Of each feeder that is not usual. */
  voltages: Map<string, Voltage>;
  /** Whether some of its reads may still be on their way. */
  isOnItsWay: boolean;
}

export interface ModelEvent {
  id: string;
  type: string;
  feeder: string;
  /** First quarter hour and the one before which it ends, by number. */
  from: number;
  to: number;
}

export interface ModelState {
  tenantId: string;
  meters: number;
  /** By the start of the quarter hour, ISO. */
  slots: Map<string, Slot>;
  events: ModelEvent[];
  /** Publishes that were answered with 202, and those that were sent: in between are those in doubt. */
  accepted: number;
  sent: number;
  backfills: { id: string; readAts: string[]; isCancelled: boolean }[];
  isAutomatic: boolean;
  /** Quarter hours that the automatic mode was asked for. */
  automatic: Set<string>;
  /** Processes that were killed or restarted. */
  kills: number;
}

const FIRST_MS = Date.UTC(2026, 0, 10);
export const QUARTER_MS = 900_000;

/** The start of a quarter hour of the past by its number. */
export const readAtOf = (number: number): string => new Date(FIRST_MS + number * QUARTER_MS).toISOString();

export function emptyState(tenantId: string, meters: number): ModelState {
  return {
    ...{ tenantId, meters, slots: new Map(), events: [], accepted: 0, sent: 0 },
    ...{ backfills: [], isAutomatic: false, automatic: new Set(), kills: 0 },
  };
}

/** A quarter hour is asked for: what is there stays, and reads that are made from now on show the events of now. */
export function ask(state: ModelState, readAt: string, isCertain: boolean): void {
  const known = state.slots.get(readAt);
  if (known === undefined) {
    const voltages = new Map<string, Voltage>();
    for (const event of state.events)
      if (isSag(event, readAt)) voltages.set(event.feeder, isCertain ? 'sagged' : 'either');
    state.slots.set(readAt, { isCertain, voltages, isOnItsWay: true });
    return;
  }
  // Some of its reads may have been made before an event that those to come show.
  if (!known.isCertain || known.isOnItsWay)
    for (const event of state.events)
      if (isSag(event, readAt) && known.voltages.get(event.feeder) !== 'sagged')
        known.voltages.set(event.feeder, 'either');
  known.isCertain ||= isCertain;
  known.isOnItsWay = true;
}

/** An event is there: it shows in what is made from now on, and may show in what is on its way. */
export function addEvent(state: ModelState, event: ModelEvent): void {
  state.events.push(event);
  for (const [readAt, slot] of state.slots)
    if (
      isSag(event, readAt) &&
      (slot.isOnItsWay || !slot.isCertain) &&
      slot.voltages.get(event.feeder) !== 'sagged'
    )
      slot.voltages.set(event.feeder, 'either');
}

/** A backfill that is called off may have written any part of what it was asked for. */
export function callOff(state: ModelState, index: number): void {
  const backfill = state.backfills[index];
  if (backfill !== undefined) backfill.isCancelled = true;
}

/**
 * The automatic mode is started, for the first time or with other settings, which alone count from then on: what only the
 * ones before asked for may come or not.
 *
 * @param possible quarter hours that it may look back to, by what instant the start was taken.
 * @param certain those among them that it looks back to in any case.
 */
export function startAutomatic(
  state: ModelState,
  possible: readonly string[],
  certain: ReadonlySet<string>,
): void {
  for (const readAt of state.automatic) {
    const slot = state.slots.get(readAt);
    if (slot?.isOnItsWay && !certain.has(readAt)) slot.isCertain = false;
  }
  for (const readAt of possible) {
    state.automatic.add(readAt);
    ask(state, readAt, certain.has(readAt));
  }
  state.isAutomatic = true;
}

/** All that was accepted is written. */
export function settle(state: ModelState): void {
  for (const slot of state.slots.values()) slot.isOnItsWay = false;
}

function isSag({ type, from, to }: ModelEvent, readAt: string): boolean {
  return type === 'voltage-sag' && readAtOf(from) <= readAt && readAt < readAtOf(to);
}
