import fc from 'fast-check';

/** Random histories of statements on the table of reads. */
export const TENANTS = ['A', 'B'];

/** Measured values at and around what the rollups distinguish, as SQL literals. */
const KWH = ['0', '0.1', '0.85', '0.8499', '1', '4294967.295'];
const DELIVERED = ['NULL', '0', '0.1', '0.1004', '1', '1.0000', '65535'];
/** What is fed in; at the end what no meter measures. */
const RECEIVED = ['NULL', '0', '0.25', '1.5', '1.5000', '4294967.295', "'NaN'"];
const VOLTAGE = ['NULL', '90.1', '113.9', '114', '114.0', '120.3', '126', '126.1'];

/** Reads of some meters at some hours, all of the same values. */
export interface Selection {
  tenant: string;
  meters: number[];
  hours: number[];
  kwh: string;
  delivered: string;
  voltage: string;
  /** What is fed in by those of the meters that have such a channel; left out: the column is not named. */
  received?: string;
}

const tenant = fc.constantFrom(...TENANTS);
const meter = fc.integer({ min: 1, max: 12 });
const hour = fc.integer({ min: 0, max: 95 });
const measured = {
  kwh: fc.constantFrom(...KWH),
  delivered: fc.constantFrom(...DELIVERED),
  voltage: fc.constantFrom(...VOLTAGE),
};
const selection: fc.Arbitrary<Selection> = fc.record({
  tenant,
  meters: fc.uniqueArray(meter, { minLength: 1, maxLength: 8 }),
  // Few hours, so that statements meet in the same intervals.
  hours: fc.uniqueArray(fc.constantFrom(0, 1, 2, 23, 24, 50, 95), { minLength: 1, maxLength: 4 }),
  ...measured,
});

const fedIn: fc.Arbitrary<Selection> = fc
  .tuple(selection, fc.constantFrom(...RECEIVED))
  .map(([selected, received]) => ({ ...selected, received }));

/** The channel of a meter is there or not, and a feeder, F0, has none. */
const channel = (received: string): string =>
  `, CASE WHEN meter % 3 > 0 AND meter % 4 > 0 THEN ${received}::numeric END`;
const rows = ({ tenant: of, meters, hours, kwh, delivered, voltage, received }: Selection): string =>
  `SELECT '${of}', 'M' || meter, 'F' || meter % 3, '2026-01-01Z'::timestamptz + hour * interval '1 h',
          ${kwh}::numeric, ${delivered}::numeric, CASE WHEN meter % 5 = 0 THEN 121.7 ELSE ${voltage}::numeric END${received === undefined ? '' : channel(received)}
   FROM unnest(ARRAY[${meters}]) meter, unnest(ARRAY[${hours}]) hour`;
export const insertSql = (selected: Selection, conflict: string): string =>
  `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage${selected.received === undefined ? '' : ', received_kwh'})
   ${rows(selected)} ON CONFLICT (tenant_id, meter_id, read_at) ${conflict}`;
export const REVISION = `DO UPDATE SET kwh = excluded.kwh, delivered_kwh = excluded.delivered_kwh,
  voltage = excluded.voltage, updated_at = now()`;
const REVISION_OF_BOTH = `${REVISION}, received_kwh = excluded.received_kwh`;

/** One statement of a history of the table, as anybody might write it. */
export const statement: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: selection.map((selected) => insertSql(selected, 'DO NOTHING')) },
  { weight: 4, arbitrary: selection.map((selected) => insertSql(selected, REVISION)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(tenant, meter, measured.voltage)
      .map(
        ([of, which, voltage]) =>
          `UPDATE meter_reads_electric SET voltage = ${voltage} WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(tenant, meter)
      .map(
        ([of, which]) =>
          `DELETE FROM meter_reads_electric WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(tenant, hour)
      .map(
        ([of, after]) =>
          `DELETE FROM meter_reads_electric WHERE tenant_id = '${of}' AND read_at > '2026-01-01Z'::timestamptz + ${after} * interval '1 h'`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(tenant, meter)
      .map(
        ([of, which]) =>
          `UPDATE meter_reads_electric SET feeder_id = 'F9' WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tenant, meter).map(
      ([of, which]) =>
        `UPDATE meter_reads_electric SET meter_id = 'N${which}' WHERE tenant_id = '${of}' AND meter_id = 'M${which}' AND read_at < '2026-01-02Z'
           AND NOT EXISTS (SELECT FROM meter_reads_electric WHERE tenant_id = '${of}' AND meter_id = 'N${which}')`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tenant, meter).map(
      ([of, which]) =>
        `UPDATE meter_reads_electric SET read_at = read_at + interval '25 h 30 min'
         WHERE tenant_id = '${of}' AND meter_id = 'M${which}' AND read_at < '2026-01-02Z' AND date_part('minute', read_at) = 0
           AND NOT EXISTS (SELECT FROM meter_reads_electric other WHERE other.tenant_id = '${of}'
             AND other.meter_id = 'M${which}' AND date_part('minute', other.read_at) = 30)`,
    ),
  },
  { weight: 1, arbitrary: fc.constant('TRUNCATE meter_reads_electric') },
);

/** The same of a table with a second channel. */
export const statementOfBoth: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: statement },
  { weight: 2, arbitrary: fedIn.map((selected) => insertSql(selected, 'DO NOTHING')) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fedIn, fc.constantFrom(REVISION, REVISION_OF_BOTH))
      .map(([selected, revision]) => insertSql(selected, revision)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(tenant, meter, fc.constantFrom(...RECEIVED))
      .map(
        ([of, which, received]) =>
          `UPDATE meter_reads_electric SET received_kwh = ${received} WHERE tenant_id = '${of}' AND meter_id = 'M${which}'`,
      ),
  },
);
