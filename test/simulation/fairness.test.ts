import { describe, expect, it } from 'vitest';
import { MAX_QUEUE_DEPTH } from '../../src/contracts/limits.js';
import { groupedBy, latenessOf, latenessSeconds, overdue } from './lateness.js';
import { MINUTE_MS, type Simulated, simulate } from './simulate.js';

const keyOf = ({ tenantId, readAt }: { tenantId: string; readAt: number }) => `${tenantId} ${readAt}`;
/** None twice, whatever else. */
const count = ({ written }: Simulated) => {
  expect(new Set(written.map(keyOf)).size).toBe(written.length);
  return written.length;
};
/** When the last tenant had each interval, s after its boundary. */
const lastOfEach = ({ written }: Simulated) =>
  [...groupedBy(written, ({ readAt }) => readAt).values()].map((all) =>
    Math.max(...all.map(latenessSeconds)),
  );

describe('80 tenants of 25,000 meters on one deployment, 89 % of its limit', () => {
  it('have every interval whole before the next is due, in the order of age, for two days', async () => {
    const done = await simulate({ tenants: 80, hours: 48 });
    expect(count(done)).toBe(80 * 192);
    expect(done.forgotten).toEqual([]);
    expect(overdue(done, () => 15)).toEqual([]);
    expect(done.written.filter(({ lane }) => lane !== 'live')).toEqual([]);
    const ages = done.written.map(({ readAt }) => readAt);
    expect(ages).toEqual(ages.toSorted((a, b) => a - b));
    expect(done.deepest).toBeLessThanOrEqual(MAX_QUEUE_DEPTH);
    const { first, last, fewest, most } = latenessOf(done.written);
    // 25,000 reads at 2,437.5 a second take 10.3 s, and 80 times that are 820.5: nothing is lost in between.
    expect(first).toBeGreaterThan(10);
    expect(last).toBeLessThan(825);
    expect([fewest, most]).toEqual([192, 192]);
  });

  it('of which some publish by the hour', async () => {
    const hourly = 16;
    const done = await simulate({ tenants: 80, hourly, hours: 12 });
    expect(count(done)).toBe(64 * 48 + hourly * 12);
    expect(overdue(done, (tenantId) => (Number(tenantId.slice(1)) <= hourly ? 60 : 15))).toEqual([]);
    // Beside hours that take 164 s, the quarters are whole as early as before.
    expect(latenessOf(done.written).last).toBeLessThan(825);
  });

  it('fill what 47 minutes without anything have missed, the newest first, while ticks stay in time', async () => {
    const outage = [6 * 60 + 5, 6 * 60 + 52] as [number, number];
    const done = await simulate({ tenants: 80, hours: 16, outage });
    expect(count(done)).toBe(80 * 64);
    expect(done.forgotten).toEqual([]);
    const isBackAt = done.start + outage[1] * MINUTE_MS;
    const after = done.written.filter(({ readAt }) => readAt > isBackAt);
    // The first tick finds the queue full with the interval before it, 102 s of work where there are 80 to spare.
    const late = overdue({ ...done, written: after }, () => 15);
    expect(new Set(late.map(({ readAt }) => readAt)).size).toBeLessThanOrEqual(1);
    for (const interval of late) expect(latenessSeconds(interval)).toBeLessThan(925);
    const filled = done.written.filter(({ lane }) => lane === 'background');
    const ages = filled.toSorted((a, b) => a.acceptedAt - b.acceptedAt).map(({ readAt }) => readAt);
    expect(ages).toEqual(ages.toSorted((a, b) => b - a));
    const wholeAfterHours =
      (Math.max(...filled.map(({ completedAt }) => completedAt)) - isBackAt) / (60 * MINUTE_MS);
    // Beside the ticks 9 % of the pace is left, for the 235 intervals that they have missed.
    expect(wholeAfterHours).toBeLessThan(9);
  });

  it('lose nothing by a backfill, which has what is left', async () => {
    const without = lastOfEach(await simulate({ tenants: 80, hours: 6 }));
    const beside = await simulate({ tenants: 80, hours: 6, backfill: true });
    expect(count(beside)).toBe(80 * 24);
    for (const [slot, seconds] of lastOfEach(beside).entries())
      expect(Math.abs(seconds - (without[slot] as number))).toBeLessThan(3);
    const share = beside.backfilled.length / (beside.written.length + beside.backfilled.length);
    expect(share).toBeGreaterThan(0.085);
    expect(beside.deepest).toBeLessThanOrEqual(MAX_QUEUE_DEPTH);
  });
});

describe('97 tenants of 25,000 meters, 11 % more than the limit', () => {
  it('are left out in turn, and none is always the last', async () => {
    const done = await simulate({ tenants: 97, hours: 12 });
    count(done);
    const { fewest, most, luckiest, unluckiest } = latenessOf(done.written);
    expect(most - fewest).toBeLessThanOrEqual(2);
    expect(fewest / 48).toBeGreaterThan(0.87);
    expect(unluckiest / luckiest).toBeLessThan(1.25);
    // Nobody misses two in a row.
    for (const own of groupedBy(done.written, ({ tenantId }) => tenantId).values()) {
      const slots = own.map(({ readAt }) => readAt).sort((a, b) => a - b);
      const pauses = slots.slice(1).map((slot, index) => slot - (slots[index] as number));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(30 * MINUTE_MS);
    }
  });
});
