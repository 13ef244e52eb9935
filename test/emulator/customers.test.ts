import { describe, expect, it } from 'vitest';
import { type Customers, MOST_COMMERCIAL, MOST_INDUSTRIAL } from '../../src/contracts/emulation.js';
import { CLASS_SHARE, CUSTOMER_CLASSES } from '../../src/emulator/customers/customers.js';
import { meteredFeeder } from '../../src/emulator/fleet/meters.js';
import { generateReads } from '../../src/emulator/reads.js';

const FEEDERS = 40;
const PER_FEEDER = 600;

/** The share of each class among 24,000 meters. */
function sharesOf(customers?: Customers): Record<string, number> {
  const classes = Array.from({ length: FEEDERS }, (_, feeder) => {
    const { meter } = meteredFeeder('7', 'MIXED', feeder + 1, FEEDERS, customers);
    return Array.from({ length: PER_FEEDER }, (_, ordinal) => meter(ordinal).customer.customerClass);
  }).flat();
  return Object.fromEntries(
    CUSTOMER_CLASSES.map((name) => [name, classes.filter((found) => found === name).length / classes.length]),
  );
}

describe('the customers of a fleet', () => {
  it.each([
    [undefined, CLASS_SHARE.commercial, CLASS_SHARE.industrial],
    [{ commercial: 0.3 }, 0.3, CLASS_SHARE.industrial],
    [{ commercial: 0, industrial: 0 }, 0, 0],
    [{ commercial: MOST_COMMERCIAL, industrial: MOST_INDUSTRIAL }, MOST_COMMERCIAL, MOST_INDUSTRIAL],
  ])('are trade and industry by the shares of %o', (customers, commercial, industrial) => {
    const shares = sharesOf(customers);
    expect(Math.abs((shares.commercial as number) - commercial)).toBeLessThan(0.012);
    expect(Math.abs((shares.industrial as number) - industrial)).toBeLessThan(0.003);
  });

  it('are the same where the usual shares are named', () => {
    const scene = {
      ...{
        tenantId: 'MIXED',
        seed: '7',
        readAt: new Date('2026-06-01T10:00Z'),
        intervalMinutes: 15 as const,
      },
      ...{ fleet: { meterCount: 500, feederCount: 10 }, from: 0, to: 500 },
    };
    const named = { commercial: CLASS_SHARE.commercial, industrial: CLASS_SHARE.industrial };
    const usual = generateReads(scene);
    expect(generateReads({ ...scene, customers: named })).toEqual(usual);
    expect(generateReads({ ...scene, customers: { commercial: 0.3 } })).not.toEqual(usual);
  });
});
