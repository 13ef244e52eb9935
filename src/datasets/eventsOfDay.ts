import { MS_PER_MINUTE } from '../contracts/intervals.js';
import { applyEvents, type EventScene, heldBackReads, stolenReads } from '../emulator/events/applyEvents.js';
import { selectedMeters } from '../emulator/events/eventSelection.js';
import { overlaps } from '../emulator/events/feederEvent.js';
import type { UnstolenUse } from '../emulator/events/unstolenUse.js';
import type { PlannedEvent } from '../scenarios/scenario.js';
import { columnsAt, type DayReads, type DayScene, putRead } from './dayReads.js';
import type { ArrivedDay, NetworkLabel } from './networkOfDay.js';

/** What events and the network did to one meter in one interval: the truth. Energy is in 0.1 Wh, voltage in 0.1 V. */
export interface Label {
  meter: number;
  interval: number;
  /** In the order of the scenario; none of a read that a network alone has changed or lost. */
  events: readonly PlannedEvent[];
  /** What its meter or its network did to it. */
  oddities: NetworkLabel['oddities'];
  /** There is no read. */
  isMissing: boolean;
  /** The read came after the outage. */
  cameLate: boolean;
  trueKwh: number;
  registeredKwh: number;
  trueVoltage: number;
}

/** A feeder's day with its events, and what its network did. */
export interface EventfulDay {
  /** Whether a read is missing, by its place; undefined where none is. */
  isMissing?: Uint8Array;
  /** By meter, each by time. */
  labels: Label[];
}

/** After every outage: what they have held back is there. */
const EVER_AFTER = new Date(8.64e15);

/** Applies a feeder's events to its day, in place, and says what they have changed. */
export function applyToDay(
  day: DayReads,
  feederId: string,
  starts: readonly number[],
  events: readonly PlannedEvent[],
  scene: DayScene,
  use: UnstolenUse,
  arrived?: ArrivedDay,
): EventfulDay {
  const labels: Label[] = [];
  const lost = arrived?.isMissing.slice();
  let isMissing = arrived?.isMissing.includes(1) ? arrived.isMissing : undefined;
  const ofNetwork = new Map(arrived?.labels);
  const ofFeeder = events.filter((event) => event.feederId === feederId);
  const selected = new Map<PlannedEvent, ReadonlySet<string>>();
  const selectionOf = (event: PlannedEvent): ReadonlySet<string> => {
    const found = selected.get(event) ?? new Set(selectedMeters(event, { ...scene, metersOfFeeder }));
    selected.set(event, found);
    return found;
  };
  const metersOfFeeder = (): readonly string[] => day.meterIds;
  starts.forEach((start, interval) => {
    const readAt = new Date(start);
    const end = new Date(start + scene.intervalMinutes * MS_PER_MINUTE);
    const known = ofFeeder.filter((event) => overlaps(event, readAt, end));
    if (known.length === 0) return;
    const { tenantId, seed, intervalMinutes } = scene;
    const base: EventScene = {
      ...{ tenantId, seed, readAt, intervalMinutes, metersOfFeeder, use },
      ...(scene.timeZone && { timeZone: scene.timeZone }),
    };
    const before = columnsAt(day, feederId, interval, lost);
    const after = applyEvents(before, known, { ...base, late: { asOf: EVER_AFTER, underWay: [] } });
    const concerns = known.map((event) => ({ event, touches: touching(event, base, selectionOf) }));
    let at = 0;
    day.meterIds.forEach((meterId, meter) => {
      const place = meter * day.intervals + interval;
      if (lost?.[place] === 1) return;
      const isGone = after.meterIds[at] !== meterId;
      const [trueKwh, trueVoltage] = [day.kwh[place] as number, day.voltage[place] as number];
      if (isGone) {
        isMissing ??= new Uint8Array(day.kwh.length);
        isMissing[place] = 1;
      } else {
        putRead(day, place, after, at);
        at += 1;
      }
      const touched = concerns.flatMap(({ event, touches }) => (touches(meterId, isGone) ? [event] : []));
      if (touched.length === 0) return;
      const odd = ofNetwork.get(place);
      ofNetwork.delete(place);
      labels.push({
        ...{ meter, interval, events: touched, isMissing: isGone, trueVoltage },
        ...{ oddities: odd?.oddities ?? [], trueKwh: odd?.trueKwh ?? trueKwh },
        cameLate: !isGone && touched.some(({ delivery }) => delivery === 'late'),
        registeredKwh: day.kwh[place] as number,
      });
    });
  });
  for (const [place, { oddities, trueKwh }] of ofNetwork)
    labels.push({
      ...{ meter: Math.floor(place / day.intervals), interval: place % day.intervals, events: [], oddities },
      ...{ isMissing: isMissing?.[place] === 1, cameLate: false, trueKwh },
      ...{ registeredKwh: day.kwh[place] as number, trueVoltage: day.voltage[place] as number },
    });
  labels.sort((a, b) => a.meter - b.meter || a.interval - b.interval);
  return { labels, ...(isMissing && { isMissing }) };
}

/** Whether an event concerns a meter's read: an outage those that it takes or holds back, a theft those that it changes. */
function touching(
  event: PlannedEvent,
  scene: EventScene,
  selectionOf: (event: PlannedEvent) => ReadonlySet<string>,
): (meterId: string, isGone: boolean) => boolean {
  const chosen = selectionOf(event);
  if (event.eventType === 'voltage-sag') return (meterId) => chosen.has(meterId);
  if (event.eventType === 'theft') return stolenReads([event], scene);
  if (event.delivery !== 'late') return (meterId, isGone) => isGone && chosen.has(meterId);
  const heldBy = heldBackReads([event], scene);
  return (meterId, isGone) => !isGone && heldBy(meterId).length > 0;
}
