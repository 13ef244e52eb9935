import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { type ImportTools, importTools, NOW, PLAIN, TENANT } from './importTools.js';

/** Numbers as keys, milliwatt-hours that are not kept, an end and a length that are asked for. */
const SQL = `
  CREATE TABLE feeders (feeder_no integer PRIMARY KEY, feeder_name text);
  CREATE TABLE meters (meter_no integer PRIMARY KEY, feeder_no integer REFERENCES feeders);
  CREATE TABLE meter_reads_electric (
    id bigint GENERATED ALWAYS AS IDENTITY, meter_no integer NOT NULL REFERENCES meters, feeder_no integer REFERENCES feeders,
    tenant_id text NOT NULL DEFAULT '${TENANT}', interval_start timestamp NOT NULL, interval_end timestamp NOT NULL,
    interval_minutes integer NOT NULL, kwh numeric(12, 3) NOT NULL, UNIQUE (tenant_id, meter_no, interval_start));
  INSERT INTO feeders VALUES (7, 'North');
  INSERT INTO meters SELECT number, 7 FROM generate_series(1, 3) AS number;
  INSERT INTO meter_reads_electric (meter_no, feeder_no, interval_start, interval_end, interval_minutes, kwh)
    VALUES (1, 7, '2026-11-30 10:00', '2026-11-30 10:15', 15, 5);`;

describeOnBothBackends('an import into a table of reads that a customer has', (backend) => {
  let customer: CustomerDatabase;
  let deployment: CustomerDeployment;
  let tools: ImportTools;
  beforeAll(async () => {
    customer = await createCustomerDatabase({ sql: SQL });
    deployment = await startOver(customer, backend, () => NOW);
    tools = importTools(() => deployment.context);
  });
  afterAll(async () => {
    await deployment.stop();
    await customer.drop();
  });
  const reads = () =>
    tools.sql(
      `SELECT meter_no AS meter, feeder_no AS feeder, to_char(interval_start, 'HH24:MI') AS start,
         to_char(interval_end, 'HH24:MI') AS end, interval_minutes AS minutes, kwh::text FROM meter_reads_electric ORDER BY 1, 3`,
    );
  const put = (rows: string, wanted = {}) =>
    tools.text(`meter,start,kwh,received\n${rows}`, {
      given: {
        ...PLAIN.given,
        values: [
          { column: 'kwh', channel: 'kwh', unit: 'kWh' },
          { column: 'received', channel: 'receivedKwh', unit: 'kWh' },
        ],
      },
      register: undefined,
      ...wanted,
    });

  it('writes in its columns and types, leaves what is not ours, and says what it has no place for', async () => {
    const first = await put(
      '1,2026-11-30T10:00:00,6,1\n1,2026-11-30T10:15:00,0.12345,1\n2,2026-11-30T10:00:00,2,1\n',
    );
    expect(first.rows).toMatchObject({ inserted: 2, refusedByRules: 1 });
    expect(Object.values(first.rows.left)).toEqual([3, 1]);
    expect(first.refusals[0]).toMatchObject({ line: 2, reason: expect.stringContaining('not written') });
    const expected = [
      { meter: 1, feeder: 7, start: '10:00', end: '10:15', minutes: 15, kwh: '5.000' },
      { meter: 1, feeder: 7, start: '10:15', end: '10:30', minutes: 15, kwh: '0.123' },
      { meter: 2, feeder: 7, start: '10:00', end: '10:15', minutes: 15, kwh: '2.000' },
    ];
    expect(await reads()).toEqual(expected);
    const again = await put('1,2026-11-30T10:15:00,0.12345,1\n2,2026-11-30T10:00:00,2,1\n');
    expect(again.rows).toMatchObject({ inserted: 0, replaced: 0, unchanged: 2 });
    expect(await reads()).toEqual(expected);
  });

  it('replaces what it has imported, keeps the former value, and refuses lengths that overlap', async () => {
    const corrected = await put('2,2026-11-30T10:00:00,3,1\n');
    expect(corrected.rows).toMatchObject({ replaced: 1 });
    expect((await reads()).at(-1)).toMatchObject({ meter: 2, kwh: '3.000' });
    expect(await tools.sql('SELECT meter_id, kwh::text, replaced_by FROM ami_replaced_reads')).toEqual([
      { meter_id: '2', kwh: '2.000', replaced_by: corrected.importId },
    ]);
    const hour = await put('2,2026-11-30T10:00:00,3,1\n', { given: { ...PLAIN.given, minutes: 60 } });
    expect(hour.rows).toMatchObject({ inserted: 0, refusedByRules: 1 });
    const [days] = await tools.sql('SELECT sum(kwh)::numeric(12, 3)::text AS kwh FROM ami_feeder_days');
    expect(days).toEqual({ kwh: '8.123' });
  });

  it('refuses meters that its registry cannot hold', async () => {
    const refused = await put('1,2026-11-30T11:00:00,1,1\nX,2026-11-30T10:15:00,1,1\n', {
      register: { feederId: '7' },
    });
    expect(refused.rows).toMatchObject({ inserted: 1, refused: 2 });
    expect(refused.refusals[0]?.reason).toContain('cannot be taken into the registry');
  });
});
