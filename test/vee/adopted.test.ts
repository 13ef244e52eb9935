import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { waitFor } from '../support/waitFor.js';

const NOW = new Date('2026-03-11T00:00:00Z');
/** Numbers as keys, local timestamps that are UTC, a column of its own for each thing. */
const SQL = `
  CREATE TABLE feeders (feeder_no integer PRIMARY KEY, feeder_name text);
  CREATE TABLE meters (meter_no integer PRIMARY KEY, feeder_no integer REFERENCES feeders);
  CREATE TABLE meter_reads_electric (
    meter_no integer NOT NULL REFERENCES meters, feeder_no integer REFERENCES feeders,
    tenant_id text NOT NULL DEFAULT 'OWNER', interval_start timestamp NOT NULL, kwh numeric(12, 3) NOT NULL,
    UNIQUE (tenant_id, meter_no, interval_start));
  INSERT INTO feeders VALUES (7, 'North');
  INSERT INTO meters SELECT number, 7 FROM generate_series(1, 2) AS number;
  INSERT INTO meter_reads_electric (meter_no, feeder_no, interval_start, kwh)
    SELECT meter, 7, at, 0.2 + mod(extract(epoch FROM at)::bigint / 900 * 7919, 31) * 0.01
    FROM generate_series(1, 2) meter, generate_series(timestamp '2026-03-01', '2026-03-10 23:45', '15 min') at
    WHERE NOT (meter = 1 AND at >= '2026-03-10 10:00' AND at < '2026-03-10 11:00');
  UPDATE meter_reads_electric SET kwh = -1 WHERE meter_no = 2 AND interval_start = '2026-03-10 12:00'`;

describeOnBothBackends('validation of a table of reads that a customer has', (backend) => {
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

  it('records what it finds, changes no read, and says so', async () => {
    const sum = async () =>
      (
        await deployment.context.database.query(
          'SELECT count(*)::integer, sum(kwh)::text FROM meter_reads_electric',
        )
      ).rows;
    const before = await sum();
    const { status, body } = await deployment.post('/api/ami/vee/runs', {
      ...{ tenantId: 'OWNER', from: '2026-03-10T00:00:00Z', to: '2026-03-11T00:00:00Z', estimate: true },
    });
    expect([status, body.estimate]).toEqual([202, false]);
    expect(body.warnings[0]).toContain('no column for the quality');
    const run = await waitFor('the run', async () => {
      const answer = await deployment.http.get(`/api/ami/vee/runs/${body.runId}`);
      return answer.body.state === 'done' && answer.body;
    });
    expect(run).toMatchObject({
      reads: 188,
      marked: 0,
      findings: { missing: 1, negative: 1 },
      estimated: {},
    });
    expect(run.found).toMatchObject([
      { meterId: '1', rule: 'missing', from: '2026-03-10T10:00:00.000Z', to: '2026-03-10T11:00:00.000Z' },
      { meterId: '2', rule: 'negative', value: -1 },
    ]);
    expect(await sum()).toEqual(before);
    const rules = await deployment.http.get('/api/ami/vee/rules?tenantId=OWNER');
    expect(rules.body.warnings).toHaveLength(1);
  });
});
