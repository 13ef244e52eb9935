/**
 * Room: scenarios. Promises: a file says all of a fleet, a span and what happens in it, and means the same wherever it is read: in
 * a deployment that replays it and in a data set.
 */

import { type Emulation, emulationOf, type PlaceModel, shownEmulation } from '../contracts/emulation.js';
import { ApiError } from '../contracts/errors.js';
import type { Delivery, TheftForm } from '../contracts/eventRequest.js';
import { MS_PER_DAY, MS_PER_MINUTE } from '../contracts/intervals.js';
import { DEFAULT_CLIMATE } from '../contracts/place.js';
import type { FeederEvent } from '../emulator/events/feederEvent.js';
import { feederId, feederNumber, meterNumberOf } from '../emulator/fleet/syntheticFleet.js';
import { timeZoneOf } from '../emulator/weather/places.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';
import { MAX_EVENTS, type ScenarioEvent, type ScenarioFile, WEEKDAYS } from './shape.js';

/** A scenario with every time as an instant. */
export interface Scenario {
  file: WholeFile;
  /** What its reads are made by. */
  emulation: Emulation;
  /** Start of the first day, and the end of the last one. */
  from: Date;
  to: Date;
  /** In the order of their starts, then of the file. */
  events: readonly PlannedEvent[];
}

/** A file that says all that has a default: it means the same whatever the tenant has run with before. */
export type WholeFile = ScenarioFile & { timeZone: string };

/** One event on one feeder. */
export interface PlannedEvent extends FeederEvent {
  form: TheftForm | null;
  delivery: Delivery | null;
}

/** What is wrong with a scenario that has the right shape. */
export class ScenarioFault extends Error {
  override name = 'ScenarioFault';
  constructor(
    readonly path: readonly (string | number)[],
    message: string,
  ) {
    super(message);
  }
}

/**
 * Works out when and where everything happens.
 *
 * @throws ScenarioFault that names the field and what would be right.
 */
export function planScenario(given: ScenarioFile): Scenario {
  const { file, emulation } = withDefaults(given);
  const zone = new LocalZone(file.timeZone);
  const firstDay = Date.parse(`${file.span.from}T00:00:00Z`);
  const dayAt = (day: number): number => firstDay + day * MS_PER_DAY;
  const intervalMs = file.intervalMinutes * MS_PER_MINUTE;
  // In zones of half hours an hour may begin beside midnight: the span is made of whole intervals.
  const aligned = (instant: number): Date => new Date(Math.ceil(instant / intervalMs) * intervalMs);
  const from = aligned(zone.startOf(dayAt(0)));
  const to = aligned(zone.startOf(dayAt(file.span.days)));
  const calendar: Calendar = { zone, dayAt, days: file.span.days };
  const names = new Set<string>();
  const events = file.events.flatMap((event, index) => {
    const name = event.name ?? `${event.type}-${index + 1}`;
    if (names.has(name)) throw fault(index, 'name', `must be another one: "${name}" is there already`);
    names.add(name);
    const feeders = feedersOf(event, index, file);
    requireMeters(event, index, file);
    const times = timesOf(event, index, calendar);
    return feeders.flatMap((feeder, place) =>
      times.map(({ startMs, endMs }) => {
        const shift = place * event.stepMinutes * MS_PER_MINUTE;
        const one = planned(event, `${name}/${feeder}`, feeder, startMs + shift, endMs + shift);
        if (one.startAt < from || one.startAt >= to)
          throw fault(
            index,
            event.startAt ? 'startAt' : event.stepMinutes > 0 ? 'stepMinutes' : 'day',
            `must make every event begin within the span, ${from.toISOString()} to ${to.toISOString()}: on ${feeder} it is ${one.startAt.toISOString()}`,
          );
        return one;
      }),
    );
  });
  if (events.length > MAX_EVENTS)
    throw new ScenarioFault(
      ['events'],
      `must come to at most ${MAX_EVENTS} events, one for each feeder and time; these are ${events.length}`,
    );
  return {
    file,
    emulation,
    from,
    to,
    events: events.toSorted((a, b) => a.startAt.getTime() - b.startAt.getTime()),
  };
}

/** @throws ScenarioFault where model, place and climate do not go together. */
function withDefaults(given: ScenarioFile): Pick<Scenario, 'file' | 'emulation'> {
  const {
    climate = DEFAULT_CLIMATE,
    model,
    place,
    customers,
    der,
    network,
    oddities,
    lateness,
    ...others
  } = given;
  const emulation = modelled(given);
  const timeZone = given.timeZone ?? timeZoneOf(emulation.place);
  const byClimate = emulation.place === null ? { climate } : {};
  return { file: { ...others, timeZone, ...byClimate, ...shownEmulation(emulation) }, emulation };
}

/** What a place alone means here. The same scenario gives the same bytes, so a later model is asked for by its number. */
const MODEL_OF_PLACES: PlaceModel = 2;

function modelled(given: ScenarioFile): Emulation {
  try {
    return emulationOf(given, given.place && { model: MODEL_OF_PLACES, place: given.place });
  } catch (error) {
    const [detail] = error instanceof ApiError ? (error.extra.details ?? []) : [];
    throw detail ? new ScenarioFault(detail.path.split('.'), detail.message) : error;
  }
}

interface Calendar {
  zone: LocalZone;
  /** Midnight of a day of the span as the clock shows it, ms as `Date.UTC` counts. */
  dayAt(day: number): number;
  days: number;
}

const fault = (index: number, field: string, message: string): ScenarioFault =>
  new ScenarioFault(['events', index, field], message);

function planned(
  event: ScenarioEvent,
  key: string,
  feeder: string,
  startMs: number,
  endMs: number,
): PlannedEvent {
  const startAt = new Date(startMs);
  return {
    id: `${key}/${startAt.toISOString().replace(':00.000Z', 'Z')}`,
    feederId: feeder,
    eventType: event.type,
    severity: event.severity,
    startAt,
    endAt: new Date(endMs),
    meterIds: event.meterIds ?? null,
    meterFraction: event.meterFraction ?? null,
    form: event.type === 'theft' ? event.form : null,
    delivery: event.type === 'comms-outage' ? event.delivery : null,
  };
}

function feedersOf({ feeders }: ScenarioEvent, index: number, fleet: ScenarioFile): string[] {
  if (feeders === 'all') return Array.from({ length: fleet.feederCount }, (_, at) => feederId(at + 1));
  for (const [at, id] of feeders.entries()) {
    if (feederNumber(id, fleet) === undefined)
      throw new ScenarioFault(
        ['events', index, 'feeders', at],
        `must be one of the fleet’s feeders, FEEDER_1 to FEEDER_${fleet.feederCount}`,
      );
  }
  return feeders;
}

function requireMeters({ meterIds, feeders }: ScenarioEvent, index: number, fleet: ScenarioFile): void {
  for (const [at, id] of (meterIds ?? []).entries()) {
    const number = meterNumberOf(fleet.tenantId, id);
    const path = ['events', index, 'meterIds', at];
    if (number === undefined || number > fleet.meterCount)
      throw new ScenarioFault(path, `must be a meter of the fleet, for example ${fleet.tenantId}-MTR-00001`);
    const on = feederId(((number - 1) % fleet.feederCount) + 1);
    if (feeders !== 'all' && !feeders.includes(on))
      throw new ScenarioFault(path, `must be on a feeder of the event: it is on ${on}`);
  }
}

function timesOf(
  event: ScenarioEvent,
  index: number,
  calendar: Calendar,
): { startMs: number; endMs: number }[] {
  const { startAt, day, time, every, durationMinutes } = event;
  if (every !== undefined) return recurring(every, index, calendar);
  const startMs = startAt ? startAt.getTime() : clockInstant(calendar, day as number, time ?? '00:00');
  return [{ startMs, endMs: startMs + (durationMinutes as number) * MS_PER_MINUTE }];
}

function recurring(every: NonNullable<ScenarioEvent['every']>, index: number, calendar: Calendar) {
  const { firstDay = 0, lastDay = calendar.days - 1, from, to, weekdays } = every;
  if (lastDay < firstDay || lastDay >= calendar.days)
    throw new ScenarioFault(
      ['events', index, 'every', every.lastDay === undefined ? 'firstDay' : 'lastDay'],
      `must be a day of the span, 0 to ${calendar.days - 1}, and the last one not before the first`,
    );
  const days = Array.from({ length: lastDay - firstDay + 1 }, (_, at) => firstDay + at);
  const times = days
    .filter((day) => weekdays.includes(weekdayOf(calendar.dayAt(day))))
    .map((day) => ({
      startMs: clockInstant(calendar, day, from),
      endMs: clockInstant(calendar, to > from ? day : day + 1, to),
    }))
    // A clock that is put forward may skip all of it.
    .filter(({ startMs, endMs }) => endMs > startMs);
  if (times.length > 0) return times;
  throw new ScenarioFault(['events', index, 'every'], 'must happen at least once in the span');
}

/** 1970-01-01 was a Thursday. */
function weekdayOf(day: number): (typeof WEEKDAYS)[number] {
  return WEEKDAYS[(Math.floor(day / MS_PER_DAY) + 3) % 7] as (typeof WEEKDAYS)[number];
}

/** The instant at which the clock shows a time: the first of two, and where it skips that time the one at which it does. */
function clockInstant({ zone, dayAt }: Calendar, day: number, time: string): number {
  const [hours, minutes] = time.split(':').map(Number) as [number, number];
  return zone.startOf(dayAt(day) + (hours * 60 + minutes) * MS_PER_MINUTE);
}
