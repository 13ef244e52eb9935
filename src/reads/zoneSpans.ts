import { LocalZone } from '../intervalFiles/time/localZone.js';

const MS_PER_DAY = 86_400_000;
/** No meter measured quarter hours before, and no zone was off the quarter hour since. */
const FIRST_DAY = Date.UTC(1980, 0, 3);
/** Beyond it the last offset goes on. */
const LAST_DAY = Date.UTC(2080, 0, 1);
/** Days before the first, all of 24 hours: a read that is stamped so is a mistake, but counts to one day alone. */
const DAYS_BEFORE = 1_000 * 365;
/** Offsets are looked at this often. No zone has changed its clock and changed it back within it. */
const DAYS_A_STEP = 2;
const STEP = DAYS_A_STEP * MS_PER_DAY;

/** Days of 24 hours each that follow one another, or one day of another length. */
export interface ZoneSpan {
  /** ms of the start of the first day. */
  startsAt: number;
  /** The first day, `2026-01-31`. */
  firstDay: string;
  /** null of the last span, whose end nobody knows. */
  days: number | null;
}

/**
 * All days of a zone by the rules of this Node. A day begins when the clock first shows it, and lasts until the next one
 * begins, even where the clock shows a minute of the day before once more (St. John's before 2011). A day that a zone has
 * left out (Apia, 2011-12-30) is in no span.
 *
 * @returns nothing for a zone whose days are always those of UTC.
 * @throws RangeError where `timeZone` is no zone of the IANA database.
 */
export function zoneSpans(timeZone: string): ZoneSpan[] {
  const starts = dayStarts(new LocalZone(timeZone));
  const spans: { startsAt: number; first: number; days: number; isRegular: boolean }[] = [];
  for (let place = 0; place < starts.length - 1; place += 1) {
    const startsAt = starts[place] as number;
    const length = (starts[place + 1] as number) - startsAt;
    if (length === 0) continue;
    const day = FIRST_DAY + place * MS_PER_DAY;
    const last = spans.at(-1);
    const isRegular = length === MS_PER_DAY;
    if (last && isRegular && last.isRegular && last.first + last.days * MS_PER_DAY === day) last.days += 1;
    else spans.push({ startsAt, first: day, days: 1, isRegular });
  }
  const [first] = spans;
  if (first === undefined) return [];
  if (spans.length === 1 && first.startsAt === first.first) return [];
  first.startsAt -= DAYS_BEFORE * MS_PER_DAY;
  first.first -= DAYS_BEFORE * MS_PER_DAY;
  first.days += DAYS_BEFORE;
  return spans.map(({ startsAt, first: day, days }, place) => ({
    startsAt,
    firstDay: new Date(day).toISOString().slice(0, 10),
    days: place === spans.length - 1 ? null : days,
  }));
}

/** The starts of all days from the first on, and of the one after the last. */
function dayStarts(zone: LocalZone): number[] {
  const steps = Math.ceil((LAST_DAY - FIRST_DAY) / STEP);
  const offsets = Array.from({ length: steps + 4 }, (_, place) =>
    zone.offsetAt(FIRST_DAY + (place - 1) * STEP),
  );
  return Array.from({ length: steps * DAYS_A_STEP + 1 }, (_, place) => {
    const step = Math.floor(place / DAYS_A_STEP);
    const day = FIRST_DAY + place * MS_PER_DAY;
    // From a step before the day's own to two after it: a day of the clock begins up to 14 hours from that of UTC.
    const [offset, ...others] = offsets.slice(step, step + 4) as [number, ...number[]];
    return others.every((other) => other === offset) ? day - offset : zone.startOf(day);
  });
}
