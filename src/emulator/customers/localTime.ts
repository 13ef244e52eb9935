/**
 * What a customer's clock shows at an instant: load follows local time, daylight saving included, while reads
 * are stamped in UTC. Public holidays are ordinary days here.
 */

export const DAY_TYPES = ['weekday', 'saturday', 'sunday'] as const;
export type DayType = (typeof DAY_TYPES)[number];

export const QUARTER_HOUR_MS = 15 * 60_000;
export const QUARTER_HOURS_PER_DAY = 96;
const MS_PER_DAY = 86_400_000;

/** A quarter hour by the local clock. */
export interface LocalQuarter {
  /** 0–95: quarter hours since 00:00 on the clock; daylight saving skips some, or shows some twice. */
  quarterOfDay: number;
  dayType: DayType;
  /** The month whose middle comes before this day and the one after, 0–11, and the way between them, [0, 1). */
  monthBefore: number;
  monthAfter: number;
  towardsAfter: number;
}

/**
 * The local clock in the UTC quarter hour `slot` (quarter hours since 1970).
 *
 * @throws RangeError when `timeZone` is no zone of the IANA database.
 */
export function localQuarter(timeZone: string, slot: number): LocalQuarter {
  const local = new Date(slot * QUARTER_HOUR_MS + zoneOffsetMs(timeZone, slot));
  const day = Math.floor(local.getTime() / MS_PER_DAY);
  const month = local.getUTCMonth();
  const daysInMonth = new Date(Date.UTC(local.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const sinceMiddle = (local.getUTCDate() - 0.5) / daysInMonth - 0.5;
  const before = sinceMiddle < 0 ? month + 11 : month;
  return {
    quarterOfDay: Math.floor((local.getTime() - day * MS_PER_DAY) / QUARTER_HOUR_MS),
    dayType: DAY_TYPE_BY_DAY[(((day + 4) % 7) + 7) % 7] as DayType,
    monthBefore: before % 12,
    monthAfter: (before + 1) % 12,
    towardsAfter: sinceMiddle < 0 ? sinceMiddle + 1 : sinceMiddle,
  };
}

/** From Sunday; 1970-01-01 was a Thursday. */
const DAY_TYPE_BY_DAY: readonly DayType[] = [
  'sunday',
  'weekday',
  'weekday',
  'weekday',
  'weekday',
  'weekday',
  'saturday',
];

/**
 * What to add to UTC for the local clock, ms. A zone's offset at both ends of a UTC day is kept. When the two agree, as
 * they do on all but some two days per year, Intl (a microsecond or more per call) is not asked again.
 */
export function zoneOffsetMs(timeZone: string, slot: number): number {
  const zone = zoneClock(timeZone);
  const day = Math.floor(slot / QUARTER_HOURS_PER_DAY);
  const start = offsetAtDay(zone, day);
  return start === offsetAtDay(zone, day + 1) ? start : readOffset(zone.format, slot * QUARTER_HOUR_MS);
}

interface ZoneClock {
  format: Intl.DateTimeFormat;
  offsetByDay: Map<number, number>;
}

/**
 * How many zones and days are kept. A tenant has one zone and publishes few days at a time; a full store starts afresh.
 */
const MAX_ZONES = 64;
const MAX_DAYS = 2_000;
const zones = new Map<string, ZoneClock>();

function zoneClock(timeZone: string): ZoneClock {
  let zone = zones.get(timeZone);
  if (zone === undefined) {
    if (zones.size >= MAX_ZONES) zones.clear();
    const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    zone = { format, offsetByDay: new Map() };
    zones.set(timeZone, zone);
  }
  return zone;
}

function offsetAtDay(zone: ZoneClock, day: number): number {
  let offset = zone.offsetByDay.get(day);
  if (offset === undefined) {
    if (zone.offsetByDay.size >= MAX_DAYS) zone.offsetByDay.clear();
    offset = readOffset(zone.format, day * MS_PER_DAY);
    zone.offsetByDay.set(day, offset);
  }
  return offset;
}

/** `GMT+05:45` as ms; plain `GMT` is 0. */
function readOffset(format: Intl.DateTimeFormat, instant: number): number {
  const name = format.formatToParts(instant).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? ['', '+', '0', '0'];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
