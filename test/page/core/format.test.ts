import { describe, expect, it } from 'vitest';
import { severityWords } from '../../../page/core/events.js';
import * as format from '../../../page/core/format.js';
import { freshnessOf } from '../../../page/core/freshness.js';

const at = (text: string): number => Date.parse(text);
const NOW = at('2026-11-28T14:07:00Z');

describe('figures', () => {
  it.each([
    [format.count(25_000), '25,000'],
    [format.percent(4.416), '4.42 %'],
    [format.percent(100), '100 %'],
    [format.percent(99.999), '100.00 %'],
    [format.volts(99.12), '99.1 V'],
    [format.kwh(0.5), '0.500 kWh'],
    [format.kwh(92.492), '92.5 kWh'],
    [format.kwh(12_345.6), '12,346 kWh'],
    [format.kwh(null), '–'],
    [format.percent(undefined), '–'],
    [format.plural(1, 'meter'), '1 meter'],
    [format.plural(2_000, 'meter'), '2,000 meters'],
  ])('%s', (written, wanted) => {
    expect(written).toBe(wanted);
  });

  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [3_599, '59 min'],
    [3_600, '1 h'],
    [7_500, '2 h 5 min'],
    [86_400, '1 d'],
    [100_000, '1 d 3 h'],
  ])('%d s are %s', (seconds, words) => {
    expect(format.duration(seconds)).toBe(words);
  });
});

describe('times', () => {
  const start = at('2026-11-28T23:45:00Z');

  it('are in the zone that is asked for, and an interval has its start and end', () => {
    expect(format.interval(start, start + 900_000, start, 'UTC')).toBe('23:45–00:00');
    expect(format.interval(start, start + 900_000, NOW, 'Europe/Berlin')).toBe('29 Nov, 00:45–01:00');
    expect(format.interval(start, start + 900_000, at('2027-01-05T00:00:00Z'), 'UTC')).toBe(
      '28 Nov 2026, 23:45–00:00',
    );
    expect(format.utc(start)).toBe('2026-11-28 23:45 UTC');
  });

  it('are told from now', () => {
    expect(format.relative(NOW - 1_000, NOW)).toBe('just now');
    expect(format.relative(NOW - 180_000, NOW)).toBe('3 min ago');
    expect(format.relative(NOW + 720_000, NOW)).toBe('in 12 min');
  });
});

describe('freshness', () => {
  const complete = { start: at('2026-11-28T14:00:00Z'), end: at('2026-11-28T14:15:00Z') };
  const facts = { complete, underWay: null, automatic: true, now: NOW };

  it('says what is being written, and how far it is', () => {
    const { words, isOld } = freshnessOf({ ...facts, underWay: { ...complete, share: 0.456 } });
    expect(words).toMatch(/^Writing .*: 45 %$/);
    expect(isOld).toBe(false);
  });

  it('is up to date through the interval and the next, and old after two', () => {
    expect(freshnessOf(facts).words).toMatch(/^Up to date/);
    const later = (minutes: number) => freshnessOf({ ...facts, now: complete.end + minutes * 60_000 });
    expect(later(20).words).toMatch(/ended 20 min ago$/);
    expect(later(32).isOld).toBe(false);
    expect(later(33).isOld).toBe(true);
    expect(later(33).words).toMatch(/^Nothing new for 33 min/);
  });

  it('of a tenant that nobody publishes is never old', () => {
    expect(freshnessOf({ ...facts, automatic: false, now: NOW + 1e9 }).isOld).toBe(false);
    expect(freshnessOf({ ...facts, complete: null }).words).toBe('No interval yet');
  });
});

it('severity is said in the words of its event', () => {
  expect(severityWords('theft', 0.8)).toBe('80 % of the energy is not registered');
  expect(severityWords('voltage-sag', 0.5)).toBe('down to about 102 V');
});
