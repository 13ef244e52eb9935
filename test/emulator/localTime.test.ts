import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimeZone } from '../../src/contracts/place.js';
import { localQuarter } from '../../src/emulator/customers/localTime.js';

const slotOf = (instant: string): number => Date.parse(instant) / 900_000;

/** Quarter hours of the local day that begins at `start` and ends before `end`, by the local clock. */
function clock(timeZone: string, start: string, end: string): number[] {
  const first = slotOf(start);
  return Array.from(
    { length: slotOf(end) - first },
    (_, index) => localQuarter(timeZone, first + index).quarterOfDay,
  );
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('localQuarter', () => {
  it('skips an hour on the spring day of daylight saving, which has 92 quarter hours', () => {
    const day = clock('America/New_York', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z');
    expect(day).toEqual([...range(0, 8), ...range(12, 96)]);
    expect(day).toHaveLength(92);
  });

  it('shows an hour twice on the autumn day, which has 100', () => {
    const day = clock('America/New_York', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z');
    expect(day).toEqual([...range(0, 8), ...range(4, 96)]);
    expect(day).toHaveLength(100);
  });

  it('knows the half hour by which Lord Howe Island saves daylight', () => {
    expect(clock('Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-05T13:30:00Z')).toEqual([
      ...range(0, 8),
      ...range(6, 96),
    ]);
    expect(clock('Australia/Lord_Howe', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z')).toEqual([
      ...range(0, 8),
      ...range(10, 96),
    ]);
  });

  it('says what Intl says, anywhere and at any time', () => {
    const zones = [
      'UTC',
      'Asia/Kathmandu',
      'Europe/Berlin',
      'Pacific/Apia',
      'America/St_Johns',
      'Africa/Casablanca',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: slotOf('2012-01-01T00:00:00Z'), max: slotOf('2037-01-01T00:00:00Z') }),
        (timeZone, slot) => {
          const parts = new Intl.DateTimeFormat('en', {
            timeZone,
            hourCycle: 'h23',
            weekday: 'long',
            hour: 'numeric',
            minute: 'numeric',
          }).formatToParts(slot * 900_000);
          const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
          const weekday = part('weekday').toLowerCase();
          expect(localQuarter(timeZone, slot)).toMatchObject({
            quarterOfDay: Number(part('hour')) * 4 + Number(part('minute')) / 15,
            dayType: weekday === 'saturday' || weekday === 'sunday' ? weekday : 'weekday',
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('places a day between the middles of its months', () => {
    expect(localQuarter('UTC', slotOf('2026-01-01T00:00:00Z'))).toMatchObject({
      monthBefore: 11,
      monthAfter: 0,
    });
    expect(localQuarter('UTC', slotOf('2026-12-31T00:00:00Z'))).toMatchObject({
      monthBefore: 11,
      monthAfter: 0,
    });
    expect(localQuarter('UTC', slotOf('2026-07-16T00:00:00Z'))).toMatchObject({
      monthBefore: 6,
      monthAfter: 7,
      towardsAfter: 0,
    });
  });
});

describe('isTimeZone', () => {
  it.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Argentina/Ushuaia'])(
    'knows %s',
    (zone) => expect(isTimeZone(zone)).toBe(true),
  );

  it.each(['', 'Mars/Olympus', '+02:00', 'Europe/Berlin ', ' ', '../etc/passwd', undefined, null, 5, {}])(
    'refuses %j and does not throw',
    (zone) => expect(isTimeZone(zone as string)).toBe(false),
  );
});
