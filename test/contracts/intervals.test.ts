import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getAlignedIntervalTimestamp, intervalEnd, isAligned } from '../../src/contracts/intervals.js';

const at = (text: string) => new Date(text);

describe('getAlignedIntervalTimestamp', () => {
  it.each([
    ['2026-01-31T10:07:12.345Z', 15, '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T10:15:00.000Z', 15, '2026-01-31T10:15:00.000Z'],
    ['2026-01-31T10:14:59.999Z', 15, '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T10:59:59.999Z', 15, '2026-01-31T10:45:00.000Z'],
    ['2026-01-31T10:59:59.999Z', 60, '2026-01-31T10:00:00.000Z'],
    ['2025-12-31T23:59:59.999Z', 60, '2025-12-31T23:00:00.000Z'],
    ['2026-03-29T02:30:00.000+02:00', 15, '2026-03-29T00:30:00.000Z'],
  ] as const)('floors %s by %i minutes to %s', (now, minutes, expected) => {
    expect(getAlignedIntervalTimestamp(minutes, at(now)).toISOString()).toBe(expected);
  });

  it('always lies on a boundary, at or before now, less than one interval back', () => {
    const instants = fc.date({ min: at('2000-01-01Z'), max: at('2100-01-01Z'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.constantFrom(15 as const, 60 as const), (now, minutes) => {
        const aligned = getAlignedIntervalTimestamp(minutes, now);
        expect(isAligned(aligned, minutes)).toBe(true);
        expect(aligned.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(intervalEnd(aligned, minutes).getTime()).toBeGreaterThan(now.getTime());
        expect(aligned.getUTCMinutes() % minutes).toBe(0);
      }),
    );
  });
});
