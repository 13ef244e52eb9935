import { describe, expect, it } from 'vitest';
import { cleanReads, count } from './misfires.js';

const SAMPLE = { seed: '1', meters: 20, days: 4, from: '2026-05-01' };
const HOMES = {
  ...SAMPLE,
  place: 'uk',
  der: { pv: 0.4, ev: 0.15, heatPump: 0.15, battery: 0.1 },
} as const;

/** The short form of `countMisfires.ts`, whose figures are in docs/vee.md. */
describe('the rules on emulated reads', () => {
  it.each([
    ['the first model', { ...SAMPLE, place: null }],
    ['homes with roofs, cars and heat pumps', HOMES],
  ])('name next to nothing of what nothing is wrong with: %s', (_, sample) => {
    const { reads, named } = count(cleanReads(sample));
    const share = (rule: keyof typeof named): number => (named[rule] ?? 0) / reads;
    expect(reads).toBe(20 * 4 * 96);
    expect(share('spike')).toBeLessThan(0.003);
    expect(share('thousandfold')).toBeLessThan(0.0005);
    expect(share('clock-shift')).toBeLessThan(0.03);
    for (const rule of ['zero-run', 'negative', 'duplicate', 'voltage-missing', 'missing'] as const)
      expect(share(rule), rule).toBe(0);
  });

  it('find a wrong multiplier and a meter that stands at zero', () => {
    const clean = cleanReads({ ...HOMES, der: {} });
    const share = (by: (kwh: number) => number, rule: 'thousandfold' | 'zero-run'): number => {
      const { reads, named } = count(clean, (read) => ({ ...read, kwh: by(read.kwh) }));
      return (named[rule] ?? 0) / reads;
    };
    expect(share((kwh) => kwh * 1_000, 'thousandfold')).toBeGreaterThan(0.3);
    expect(share((kwh) => kwh / 1_000, 'thousandfold')).toBeGreaterThan(0.3);
    expect(share(() => 0, 'zero-run')).toBe(1);
  });
});
