import { describe, expect, it } from 'vitest';
import { batchJob } from '../../src/contracts/batchJob.js';
import { canonicalEmulation, emulationOf, lateness, shownEmulation } from '../../src/contracts/emulation.js';
import { arrivals, arrivesAt } from '../../src/emulator/network/lateness.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { arrivingOf, generateBatch } from '../../src/writing/amiEmulator.js';
import { syntheticPublish } from '../support/publishRecords.js';

const SCENE = { tenantId: 'LATE', seed: '7', readAt: new Date('2026-06-01T10:00:00Z') };
const LATENESS = { share: 0.1, maxIntervals: 4, duplicates: 0.05 };
const METERS = Array.from({ length: 10_000 }, (_, index) => `LATE-MTR-${index}`);

describe('ordinary lateness', () => {
  it('has the share that was asked for, each number of intervals as likely, and copies after the first', () => {
    const found = METERS.map(arrivals(LATENESS, SCENE));
    const late = found.filter(({ lateBy }) => lateBy > 0);
    expect(late.length / METERS.length).toBeCloseTo(0.1, 1);
    for (const by of [1, 2, 3, 4])
      expect(late.filter(({ lateBy }) => lateBy === by).length / late.length).toBeCloseTo(0.25, 1);
    const twice = found.filter(({ againBy }) => againBy !== null);
    expect(twice.length / METERS.length).toBeGreaterThan(0.04);
    expect(twice.length / METERS.length).toBeLessThan(0.06);
    for (const { lateBy, againBy } of twice) expect(againBy).toBeGreaterThan(lateBy);
  });

  it('is the same whoever asks, and another one for another interval, seed or tenant', () => {
    const late = (scene: typeof SCENE) =>
      METERS.filter((meter) => arrivals(LATENESS, scene)(meter).lateBy > 0).join();
    expect(late(SCENE)).toBe(late({ ...SCENE }));
    const others = [
      { ...SCENE, readAt: new Date('2026-06-01T10:15:00Z') },
      { ...SCENE, seed: '8' },
      { ...SCENE, tenantId: 'OTHER' },
    ];
    for (const other of others) expect(late(other)).not.toBe(late(SCENE));
  });

  it('grows with its share: what is late of few is late of more', () => {
    const few = arrivals({ ...LATENESS, share: 0.02 }, SCENE);
    const more = arrivals(LATENESS, SCENE);
    for (const meter of METERS) if (few(meter).lateBy > 0) expect(more(meter).lateBy).toBe(few(meter).lateBy);
  });

  it('comes at the end of its interval, by the length of the fleet’s', () => {
    expect(arrivesAt({ readAt: SCENE.readAt, intervalMinutes: 15 }, 0)).toEqual(
      new Date('2026-06-01T10:15:00Z'),
    );
    expect(arrivesAt({ readAt: SCENE.readAt, intervalMinutes: 60 }, 3)).toEqual(
      new Date('2026-06-01T14:00:00Z'),
    );
  });

  describe('in a batch', () => {
    const emulation = emulationOf({ lateness: LATENESS });
    const publish = syntheticPublish({
      ...{ tenantId: 'LATE', readAt: SCENE.readAt, meterCount: 2_000, feederCount: 4, seed: '7', emulation },
      ...{ batchSize: 500, batchCount: 4 },
    });
    const jobOf = (given: Partial<typeof publish>, batch = 0) =>
      batchJob.parse(batchPayload({ ...publish, ...given }, batch));

    it('is left out of it, and each read that is left out is in one delivery that covers it', () => {
      for (const batch of [0, 1, 2, 3]) {
        const job = jobOf({}, batch);
        const all = generateBatch(job, []);
        const { columns, holds } = arrivingOf(job, all);
        const left = all.meterIds.filter((meter) => !columns.meterIds.includes(meter));
        expect(left.length).toBeGreaterThan(20);
        expect(holds.flatMap(({ meterIds }) => meterIds).toSorted()).toEqual(left.toSorted());
        for (const { from, to, meterIds, dueAt, eventIds, feederId } of holds) {
          expect(eventIds).toEqual([]);
          expect([job.from <= from, from < to, to <= job.to]).toEqual([true, true, true]);
          expect(dueAt?.getTime()).toBeGreaterThan(SCENE.readAt.getTime() + 900_000);
          for (const meter of meterIds) {
            const index = all.meterIds.indexOf(meter);
            expect([all.feederIds[index], from - job.from <= index && index < to - job.from]).toEqual([
              feederId,
              true,
            ]);
          }
        }
      }
    });

    it('is in a delivery once its time has come, and waits again before it', () => {
      const readsAt = (asOf: Date) => {
        const job = jobOf({ origin: 'late', holdId: '1', lateAsOf: asOf, knownAt: SCENE.readAt });
        return arrivingOf(job, generateBatch(job, [], undefined, { asOf, underWay: [] }));
      };
      const { columns } = arrivingOf(jobOf({}), generateBatch(jobOf({}), []));
      let before = columns.meterIds.length;
      for (const by of [1, 2, 3, 4]) {
        const { columns: now, holds } = readsAt(arrivesAt({ readAt: SCENE.readAt, intervalMinutes: 15 }, by));
        expect(now.meterIds.length).toBeGreaterThan(before);
        expect(now.meterIds.length + holds.reduce((sum, { meterIds }) => sum + meterIds.length, 0)).toBe(500);
        // What comes twice comes so from the batch that wrote it first.
        expect(holds.every(({ meterIds }) => meterIds.length > 0)).toBe(true);
        before = now.meterIds.length;
      }
      expect(before).toBe(500);
    });

    it.each([
      ['a backfill', { origin: 'backfill' }],
      ['a revision', { origin: 'revision', onConflict: 'update' }],
      ['a publish that overwrites', { origin: 'manual', onConflict: 'update' }],
    ] as const)('is nothing of %s', (_, given) => {
      const job = jobOf(given);
      const all = generateBatch(job, []);
      expect(arrivingOf(job, all)).toEqual({ columns: all, holds: [] });
    });
  });

  describe('in a request', () => {
    it('is part of what an interval is made by, in one form', () => {
      const { network } = emulationOf({ lateness: { duplicates: 0, maxIntervals: 4, share: 0.01 } });
      expect(JSON.stringify(network)).toBe('{"lateness":{"share":0.01,"maxIntervals":4,"duplicates":0}}');
      expect(emulationOf({ lateness: { share: 0, maxIntervals: 4, duplicates: 0 } }).network).toEqual({});
      const stored = canonicalEmulation(emulationOf({ network: 'good', lateness: LATENESS }));
      expect(shownEmulation(stored)).toEqual({ model: 1, network: 'good', lateness: LATENESS });
    });

    it.each([
      [{ share: 0.2 }, 'must be a share of the reads, from 0 to 0.1'],
      [{ share: -1 }, 'must be a share of the reads, from 0 to 0.1'],
      [{ share: '0.1' }, 'must be a share of the reads, from 0 to 0.1'],
      [{ share: Number.NaN }, 'must be a share of the reads, from 0 to 0.1'],
      [{ share: 0.01, maxIntervals: 0 }, 'must be a whole number from 1 to 16'],
      [{ share: 0.01, maxIntervals: 2.5 }, 'must be a whole number from 1 to 16'],
      [{ duplicates: 0.11 }, 'must be a share of the reads, from 0 to 0.1'],
      [0.01, 'must be an object, for example { "share": 0.01'],
    ])('%j is refused by a sentence', (given, sentence) => {
      const { error } = lateness.safeParse(given);
      expect(error?.issues[0]?.message).toContain(sentence);
    });

    it('takes 4 intervals and no copies where nothing is said', () => {
      expect(lateness.parse({ share: 0.02 })).toEqual({ share: 0.02, maxIntervals: 4, duplicates: 0 });
    });
  });
});
