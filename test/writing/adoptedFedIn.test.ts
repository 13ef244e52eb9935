import { afterAll, beforeAll, expect, it } from 'vitest';
import { importTools, PLAIN } from '../imports/importTools.js';
import { describeOnBothBackends } from '../support/backends.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { BEARER } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const NOW = new Date('2026-06-01T18:07:00Z');
/** As head-ends export it, seen from the utility; what was fed in to the tenth of a watt-hour. */
const SQL = `
  CREATE TABLE feeders (feeder_no integer PRIMARY KEY, feeder_name text);
  CREATE TABLE meters (meter_no integer PRIMARY KEY, feeder_no integer REFERENCES feeders);
  CREATE TABLE meter_reads_electric (
    id bigint GENERATED ALWAYS AS IDENTITY, meter_no integer NOT NULL REFERENCES meters, feeder_no integer REFERENCES feeders,
    tenant_id text NOT NULL DEFAULT 'T', interval_start timestamp NOT NULL, kwh_delivered numeric(12, 4) NOT NULL,
    "kWh Received" numeric(12, 4), UNIQUE (tenant_id, meter_no, interval_start));
  INSERT INTO feeders VALUES (7, 'North');
  INSERT INTO meters SELECT number, 7 FROM generate_series(1, 40) AS number;
  INSERT INTO meter_reads_electric (meter_no, feeder_no, interval_start, kwh_delivered, "kWh Received")
  VALUES (1, 7, '2026-05-30 10:00', 5, 0.75), (2, 7, '2026-05-30 10:00', 5, NULL), (3, 7, '2026-05-30 10:15', 5, NULL);`;

describeOnBothBackends('a table of reads of a customer’s that says what is fed in', (backend) => {
  let customer: CustomerDatabase;
  let deployment: CustomerDeployment;
  beforeAll(async () => {
    customer = await createCustomerDatabase({ sql: SQL });
    deployment = await startOver(customer, backend, () => NOW);
  });
  afterAll(async () => {
    await deployment.stop();
    await customer.drop();
  });
  const rows = async (sql: string) => (await customer.admin.query(sql)).rows;
  /** What the rollups have is what the table has. */
  const fedIn = async (): Promise<number> => {
    const truth = `SELECT interval_start AT TIME ZONE 'UTC' AS read_at, sum("kWh Received") AS kwh, count("kWh Received") AS reads
      FROM meter_reads_electric GROUP BY 1`;
    const kept = 'SELECT read_at, received_kwh, received_reads FROM ami_feeder_intervals';
    expect(await rows(`(${truth} EXCEPT ALL ${kept}) UNION ALL (${kept} EXCEPT ALL ${truth})`)).toEqual([]);
    const [{ kwh }] = await rows('SELECT sum(received_kwh)::float8 AS kwh FROM ami_feeder_days');
    return kwh;
  };
  const publish = async (body: object = {}) => {
    const answer = await deployment.post('/api/ami/publish-once', {
      ...{ tenantId: 'T', fleet: 'registry', readAt: '2026-06-01T18:00:00Z', timeZone: 'America/Chicago' },
      ...{ der: { pv: 1 } },
      ...body,
    });
    expect(answer.status).toBe(202);
    await waitFor('the reads', async () => {
      const { body } = await deployment.http.get(`/api/ami/publish/${answer.body.publishId}`);
      return body.state === 'done';
    });
  };

  it('is summed up from its first day, and the mapping says by which column', async () => {
    const { reads } = (await deployment.http.get('/api/ami/schema')).body;
    expect(reads).toMatchObject({
      feedIn: 'kWh Received',
      columns: {
        kwh: { column: 'kwh_delivered' },
        receivedKwh: { column: 'kWh Received', source: 'known name' },
      },
    });
    expect(await fedIn()).toBe(0.75);
    await customer.admin.query(`UPDATE meter_reads_electric SET "kWh Received" = 0.5 WHERE meter_no = 2`);
    expect(await fedIn()).toBe(1.25);
    await customer.admin.query('DELETE FROM meter_reads_electric WHERE meter_no = 2');
    expect(await fedIn()).toBe(0.75);
  });

  it('is written by a publish and a revision, and shown', async () => {
    const before = await fedIn();
    await publish();
    const after = await fedIn();
    expect(after).toBeGreaterThan(before + 1);
    await customer.admin.query(
      `UPDATE meter_reads_electric SET "kWh Received" = 50 WHERE meter_no = 5 AND interval_start = '2026-06-01 18:00'`,
    );
    expect(await fedIn()).toBeGreaterThan(after + 40);
    await publish({ onConflict: 'update' });
    expect(await fedIn()).toBeCloseTo(after, 9);
    const { latest } = (await deployment.http.get('/api/ami/kpi/quickcheck?tenantId=T')).body;
    expect(latest.receivedKwh).toBeCloseTo(after - before, 9);
    const answer = await deployment.http
      .get('/api/ami/reads?tenantId=T&meter=1&from=2026-05-30T10:00:00Z&to=2026-05-30T10:15:00Z')
      .set(BEARER);
    expect(answer.body.reads).toMatchObject([{ kwh: 5, receivedKwh: 0.75 }]);
  });

  it('is imported with the rest of a file, and found to be the same when the file comes again', async () => {
    const tools = importTools(() => deployment.context, 'T');
    const put = (received: string) =>
      tools.text(
        `meter,start,kwh,received\n9,2026-05-29T10:00:00,1,${received}\n10,2026-05-29T10:00:00,1,\n`,
        {
          given: {
            ...PLAIN.given,
            values: [
              { column: 'kwh', channel: 'kwh', unit: 'kWh' },
              { column: 'received', channel: 'receivedKwh', unit: 'kWh' },
            ],
          },
          register: undefined,
        },
      );
    const before = await fedIn();
    expect((await put('0.123449')).rows).toMatchObject({ inserted: 2 });
    expect(await fedIn()).toBeCloseTo(before + 0.1234, 9);
    expect((await put('0.123449')).rows).toMatchObject({ inserted: 0, replaced: 0, unchanged: 2 });
    expect((await put('0.25')).rows).toMatchObject({ replaced: 1, unchanged: 1 });
    expect(await fedIn()).toBeCloseTo(before + 0.25, 9);
  });

  it('is counted at the first start of a version that knows the column', async () => {
    const whole = await fedIn();
    await deployment.stop();
    await customer.admin.query(
      `UPDATE ami_schema_changes SET statement = (statement::jsonb #- '{columns,receivedKwh}')::text WHERE kind = 'adopt';
       UPDATE ami_feeder_intervals SET received_kwh = NULL, received_reads = 0;
       UPDATE ami_feeder_days SET received_kwh = NULL, received_reads = 0;`,
    );
    deployment = await startOver(customer, backend, () => NOW);
    expect(await fedIn()).toBeCloseTo(whole, 9);
  });
});
