import { describe, expect, it } from 'vitest';
import { generateReads, type ReadsRequest } from '../../src/emulator/reads.js';

const base: ReadsRequest = {
  tenantId: 'DEMO_TENANT',
  seed: 'a seed',
  fleet: { meterCount: 2_000, feederCount: 20 },
  from: 0,
  to: 2_000,
  readAt: new Date('2026-07-15T00:00:00Z'),
  intervalMinutes: 60,
};

const kwhAt = (at: string, place: Pick<ReadsRequest, 'timeZone' | 'climate'> = {}): number =>
  generateReads({ ...base, ...place, readAt: new Date(at) }).kwh.reduce((sum, kwh) => sum + kwh, 0);

/** Energy of a whole UTC day. */
const dayKwh = (day: string, place: Pick<ReadsRequest, 'timeZone' | 'climate'>): number =>
  Array.from({ length: 24 }, (_, hour) =>
    kwhAt(`${day}T${String(hour).padStart(2, '0')}:00:00Z`, place),
  ).reduce((sum, kwh) => sum + kwh);

describe('the place of a fleet', () => {
  it('is in UTC and has the climate of the US when a request says nothing', () => {
    const named = { ...base, timeZone: 'UTC', climate: 'us' as const };
    expect(generateReads(base)).toEqual(generateReads(named));
  });

  it('lives by its own clock: at one instant it is evening in one zone and night in the other', () => {
    const instant = '2026-01-15T02:00:00Z';
    const chicago = kwhAt(instant, { timeZone: 'America/Chicago' });
    const berlin = kwhAt(instant, { timeZone: 'Europe/Berlin' });
    expect(chicago).toBeGreaterThan(1.5 * berlin);
  });

  it('moves with daylight saving: the morning comes an hour earlier by UTC', () => {
    const timeZone = 'Europe/Berlin';
    // Fridays before and after the last Sunday of March; 05:00–06:00 UTC is 6 h, then 7 h by the clock.
    const rise = (day: string) =>
      kwhAt(`${day}T05:00:00Z`, { timeZone }) / kwhAt(`${day}T01:00:00Z`, { timeZone });
    expect(rise('2026-04-03')).toBeGreaterThan(1.15 * rise('2026-03-27'));
  });

  it('peaks in summer in the US, less so in winter, and in winter in Germany', () => {
    // Wednesdays; all classes together, of which trade and industry hardly know seasons.
    const [winter, spring, summer] = ['2026-01-14', '2026-04-15', '2026-07-15'] as const;
    const us = { climate: 'us' as const };
    expect(dayKwh(summer, us)).toBeGreaterThan(1.03 * dayKwh(winter, us));
    expect(dayKwh(winter, us)).toBeGreaterThan(1.03 * dayKwh(spring, us));
    const germany = { climate: 'germany' as const };
    expect(dayKwh(winter, germany)).toBeGreaterThan(1.03 * dayKwh(summer, germany));
  });

  it('throws on a zone that does not exist', () => {
    expect(() => generateReads({ ...base, timeZone: 'Mars/Olympus' })).toThrow(RangeError);
  });
});
