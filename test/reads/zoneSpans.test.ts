import { describe, expect, it } from 'vitest';
import { zoneSpans } from '../../src/reads/zoneSpans.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The day of an instant by spans, as `ami_span_day` works it out. */
function dayBy(spans: ReturnType<typeof zoneSpans>, at: number): string {
  const span = spans.findLast(({ startsAt }) => startsAt <= at);
  if (span === undefined) return new Date(at).toISOString().slice(0, 10);
  const days = Math.min((span.days ?? Number.POSITIVE_INFINITY) - 1, Math.floor((at - span.startsAt) / DAY));
  return new Date(Date.parse(span.firstDay) + days * DAY).toISOString().slice(0, 10);
}

/** What the zone's calendar shows, straight from Intl. */
function shownDay(format: Intl.DateTimeFormat, at: number): string {
  return format.format(at);
}
const calendar = (timeZone: string) =>
  new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'America/Vancouver',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Antarctica/Casey',
  'America/St_Johns',
];

describe('the days of a zone', () => {
  it.each(ZONES)('of %s are those of its calendar, hour by hour', (zone) => {
    const spans = zoneSpans(zone);
    const format = calendar(zone);
    // St. John's changed its clock at a minute past midnight until 2011 and so showed a day twice.
    for (let at = Date.UTC(2011, 10, 10); at < Date.UTC(2031, 0, 1); at += 6 * HOUR - 15 * 60_000)
      if (dayBy(spans, at) !== shownDay(format, at))
        expect.fail(`${zone} ${new Date(at).toISOString()}: ${dayBy(spans, at)} is ${shownDay(format, at)}`);
    expect(spans.length).toBeLessThan(900);
  });

  it('has none where they are those of UTC, and one span where the clock is never changed', () => {
    expect(zoneSpans('UTC')).toEqual([]);
    expect(zoneSpans('Etc/GMT')).toEqual([]);
    expect(zoneSpans('Asia/Kolkata')).toHaveLength(1);
    expect(() => zoneSpans('Mars/Olympus')).toThrow(RangeError);
  });

  const lengthOf = (zone: string, day: string): number => {
    const spans = zoneSpans(zone);
    const at = Date.parse(day);
    const found = spans.find(({ firstDay }) => firstDay === day);
    const next = spans.find(({ startsAt }) => startsAt > (found?.startsAt ?? at));
    return found?.days === 1 ? ((next?.startsAt ?? 0) - found.startsAt) / HOUR : 24;
  };
  it.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    ['America/Sao_Paulo', '2018-11-04', 23],
    ['America/Sao_Paulo', '2018-02-17', 25],
    ['America/St_Johns', '2010-11-07', 25],
    ['Antarctica/Vostok', '1994-01-31', 31],
  ])('%s, %s: %d hours', (zone, day, hours) => {
    expect(lengthOf(zone, day)).toBe(hours);
  });

  it('leaves out the day that Apia left out', () => {
    const spans = zoneSpans('Pacific/Apia');
    expect(dayBy(spans, Date.UTC(2011, 11, 30, 9, 45))).toBe('2011-12-29');
    expect(dayBy(spans, Date.UTC(2011, 11, 30, 10, 0))).toBe('2011-12-31');
  });

  it('has the rules of Node: Vancouver keeps its summer time from 2026 on or not, as Intl says', () => {
    const spans = zoneSpans('America/Vancouver');
    const format = calendar('America/Vancouver');
    for (const at of [
      Date.UTC(2026, 10, 2, 7, 30),
      Date.UTC(2026, 10, 2, 8, 30),
      Date.UTC(2027, 2, 14, 7, 30),
      Date.UTC(2027, 2, 15, 7, 30),
    ])
      expect(dayBy(spans, at)).toBe(shownDay(format, at));
  });
});
