import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportFile, planExport } from '../../src/exports/exports.js';
import { readPages } from '../../src/exports/readPages.js';
import type { OutgoingRead } from '../../src/intervalFiles/outgoing.js';
import { readBack } from '../intervalFiles/outgoing.js';
import { type CustomerDatabase, createCustomerDatabase, runMigrate } from '../support/customerDatabase.js';

const SPAN = {
  tenantId: 'DEMO_TENANT',
  from: new Date('2026-03-01T00:00Z'),
  to: new Date('2026-03-02T00:00Z'),
};

/** Numbers as meters, doubles, times without a zone, the key by time first, and what loaders leave behind. */
const TABLE = `CREATE TABLE meter_reads_electric (
    meter_number integer NOT NULL, reading_time timestamp NOT NULL, circuit_id integer,
    usage_kwh double precision, volts real, status_flags FLAGS, PRIMARY KEY (reading_time, meter_number));
  INSERT INTO meter_reads_electric VALUES
    (10, '2026-03-01 00:00', 7, 0.1::double precision + 0.2::double precision, 120.1, LOW),
    (10, '2026-03-01 00:30', 7, 1e-7, 'NaN', NONE),
    (10, '2026-03-01 01:00', NULL, 'NaN', 113, NULL),
    (10, '2026-03-01 01:30', 7, 'Infinity', 113, NULL),
    (10, '2026-03-01 02:00', 7, NULL, 113, NULL),
    (10, '2026-03-01 02:30', 7, -0.5, NULL, NULL),
    (9, '2026-03-01 00:00:00.000250', 7, 1, 'Infinity', NULL),
    (9, '2026-03-01 23:30', 7, 2, 120, NULL),
    (9, '2026-03-02 00:00', 7, 3, 120, NULL),
    (9, 'infinity', 7, 3, 120, NULL);`;

describe.each([
  ['text', `'LOW V'`, `''`, [['LOW V'], []]],
  ['text[]', `'{A,B}'`, `'{}'`, [['A', 'B'], []]],
  ['jsonb', `'["A b"]'`, `'[]'`, [['A b'], []]],
  ['integer', '5', '0', [['LOW_VOLTAGE', 'BITS_4'], []]],
] as const)('an export of a customer’s table with flags as %s', (type, low, none, flags) => {
  let customer: CustomerDatabase;
  beforeAll(async () => {
    const sql = TABLE.replace('FLAGS', type).replace('LOW', low).replace('NONE', none);
    customer = await createCustomerDatabase({ sql });
    const { code, stderr } = await runMigrate(customer);
    expect([code, stderr]).toEqual([0, '']);
  });
  afterAll(() => customer.drop());

  it('has its reads in the order of its key, with all digits, and as they are', async () => {
    const meters: OutgoingRead[][] = [];
    for await (const page of readPages(customer.admin, SPAN)) meters.push(...page);
    expect(meters.map((reads) => [reads[0]?.meterId, reads.length])).toEqual([
      ['9', 2],
      ['10', 6],
    ]);
    const [, ten = []] = meters;
    expect(ten.map(({ kwh }) => kwh)).toEqual([
      '0.30000000000000004',
      '1e-07',
      'NaN',
      'Infinity',
      null,
      '-0.5',
    ]);
    expect(ten.slice(0, 2).map((read) => read.flags)).toEqual(flags);
    expect(ten.slice(0, 3).map(({ feederId, voltage, minutes }) => [feederId, voltage, minutes])).toEqual([
      ...[
        ['7', '120.1', 30],
        ['7', 'NaN', 30],
        ['UNASSIGNED', '113', 30],
      ],
    ]);
    expect(meters[0]?.[0]?.startUs).toBe(Date.parse('2026-03-01T00:00Z') * 1_000 + 250);
  });

  it.each([
    ['csv', 4, { noEnergy: 3, negative: 1 }],
    // The one meter's reads are half an hour apart; nothing says it of the other's.
    ['csv-wide', 2, { noEnergy: 3, negative: 1, otherLength: 2 }],
    ['green-button', 3, { noEnergy: 3, digits: 1, offGrid: 1 }],
    ['nem12', 0, { noEnergy: 3, negative: 1, incompleteDay: 2, offGrid: 1 }],
  ] as const)('as %s leaves out what it cannot have, with the count', async (format, reads, left) => {
    const plan = await planExport(
      customer.admin,
      {
        tenantId: 'DEMO_TENANT',
        format,
        from: '2026-03-01',
        to: '2026-03-01',
        ...(format === 'nem12' ? {} : { zone: 'UTC' }),
      },
      10,
    );
    const { pieces, writer } = exportFile(customer.admin, plan, plan.days, new Date());
    let text = '';
    for await (const piece of pieces) text += piece;
    const counts = writer.tally.counts();
    expect(counts.reads).toBe(reads);
    expect(counts.left).toEqual(left);
    const back = await readBack(text);
    // The long file has the microseconds that our import refuses.
    expect(back.reads.length + back.refusals.length).toBe(reads);
  });

  it('knows a meter by its number as text, and refuses what is none', async () => {
    const names = async (meters: string[]) => {
      await planExport(
        customer.admin,
        { tenantId: 'DEMO_TENANT', format: 'csv', from: '2026-03-01', to: '2026-03-01', meters },
        9,
      );
      const found: string[] = [];
      for await (const page of readPages(customer.admin, { ...SPAN, meters }))
        found.push(...page.map((reads) => reads[0]?.meterId as string));
      return found;
    };
    expect(await names(['10', '9'])).toEqual(['10', '9']);
    await expect(names(["9'; DROP"])).rejects.toThrow('has none of a meter');
  });
});
