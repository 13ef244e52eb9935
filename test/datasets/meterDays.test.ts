import { describe, expect, it } from 'vitest';
import { MeterDays } from '../../src/datasets/meterDays.js';

describe('the meters of each day', () => {
  it('are counted once a day, those of days that are over too', () => {
    const days = new MeterDays();
    days.add('2026-01-01', 'A');
    days.add('2026-01-01', 'A');
    days.add('2026-01-01', 'B');
    days.add('2026-01-02', 'A');
    expect(days.count).toBe(3);
    days.closeBefore('2026-01-02');
    days.add('2026-01-02', 'A');
    days.add('2026-01-02', 'B');
    expect(days.count).toBe(4);
    days.closeBefore('2026-02-01');
    expect(days.count).toBe(4);
  });
});
