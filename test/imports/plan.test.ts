import { describe, expect, it } from 'vitest';
import { ImportPlan, type PlanOptions, TooManyRefusalsError } from '../../src/imports/plan.js';
import { emptyBatch, type FileBatch, type FileRead } from '../../src/intervalFiles/intervalFiles.js';
import { readIntervalFile } from '../../src/intervalFiles/readFile.js';
import { LocalZone } from '../../src/intervalFiles/time/localZone.js';
import { sample } from '../intervalFiles/totals.js';

const NOW = new Date('2026-12-01T00:00:00Z');
const planOf = (options: Partial<PlanOptions> = {}): ImportPlan =>
  new ImportPlan({
    feederOf: () => 'FEEDER_1',
    zone: new LocalZone('UTC'),
    mostRefusals: 10,
    now: NOW,
    ...options,
  });
const read = (of: Partial<FileRead> = {}): FileRead => ({
  ...{ meterId: 'A', channel: 'kwh', startMs: Date.UTC(2026, 10, 1), minutes: 15, kwh: '0.1' },
  ...{ quality: { kind: 'raw' }, line: 2, ...of },
});
const batch = (of: Partial<FileBatch>): FileBatch => ({ ...emptyBatch(), ...of });

describe('the plan of an import', () => {
  it('counts by meter, local day and channel, with exact sums', () => {
    const plan = planOf({ zone: new LocalZone('America/New_York') });
    const reads = Array.from({ length: 100 }, (_, index) =>
      read({ startMs: Date.UTC(2026, 10, 1, 4) + index * 900_000 }),
    );
    const estimated = read({
      channel: 'receivedKwh',
      quality: { kind: 'estimated' },
      startMs: Date.UTC(2026, 10, 1, 5),
    });
    expect(plan.take(batch({ reads: [...reads, estimated] }))).toHaveLength(101);
    expect(plan.report()).toMatchObject({
      ...{ reads: 101, refused: 0, days: 2 },
      byDay: [
        { meterId: 'A', day: '2026-11-01', channel: 'kwh', reads: 100, kwh: '10', estimated: 0 },
        { meterId: 'A', day: '2026-11-01', channel: 'receivedKwh', reads: 1, kwh: '0.1', estimated: 1 },
      ],
    });
  });

  it('comes to the totals of a sample by meter and day', async () => {
    const plan = planOf({ zone: new LocalZone('+10:00') });
    for await (const piece of readIntervalFile(() => sample('nem12-15min.csv'), { format: 'nem12' }))
      plan.take(piece);
    const { byDay, left } = plan.report();
    expect(byDay.filter(({ channel }) => channel === 'kwh').map(({ day, kwh }) => [day, kwh])).toEqual([
      ['2026-04-04', '19.54'],
      ['2026-04-05', '20.652'],
      ['2026-04-06', '20.024'],
    ]);
    expect(left).toEqual({ 'kVArh (K1)': 288 });
  });

  it.each([
    ['of a meter that is not in the registry', { meterId: 'B' }],
    ['of an interval that is still to come', { startMs: NOW.getTime() + 2 * 86_400_000 }],
    ['from before there were such meters', { startMs: 0 }],
  ])('refuses a read %s, and takes the others', (_what, of) => {
    const plan = planOf({ feederOf: (id) => (id === 'A' ? 'FEEDER_1' : undefined) });
    const planned = plan.take(batch({ reads: [read(of), read()] }));
    expect(planned.map(({ meterId, readAt }) => [meterId, readAt.getTime()])).toEqual([
      ['A', Date.UTC(2026, 10, 1)],
    ]);
    expect(plan.report()).toMatchObject({ reads: 1, refused: 1, refusals: [{ line: 2 }] });
  });

  it('takes nothing of a file beyond the limit of refusals, and says what they were', () => {
    const plan = planOf({ mostRefusals: 2 });
    const refusals = [1, 2, 3].map((line) => ({ line, reason: 'bad' }));
    plan.take(batch({ refusals: refusals.slice(0, 2) }));
    const beyond = () => plan.take(batch({ reads: [read()], refusals: refusals.slice(2) }));
    expect(beyond).toThrow(TooManyRefusalsError);
    expect(plan.report().refused).toBe(3);
  });

  it('tells rows of a meter that nobody knows once, with their count, and counts each', () => {
    const plan = planOf({ feederOf: (meterId) => (meterId === 'A' ? 'F' : undefined), mostRefusals: 5 });
    const rows = (meterId: string, lines: number[]) => lines.map((line) => read({ meterId, line }));
    plan.take(
      batch({ reads: [...rows('B', [2, 3]), ...rows('C', [4]), ...rows('A', [5]), ...rows('B', [6])] }),
    );
    const { refused, refusals, reads } = plan.report();
    expect([reads, refused]).toEqual([1, 4]);
    expect(refusals.map(({ line, meterId, rows: count = 1 }) => [line, meterId, count])).toEqual([
      [2, 'B', 3],
      [4, 'C', 1],
    ]);
    expect(() => plan.take(batch({ reads: rows('B', [7, 8]) }))).toThrow(TooManyRefusalsError);
  });
});
