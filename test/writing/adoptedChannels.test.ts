import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { waitFor } from '../support/waitFor.js';

const NOW = new Date('2026-06-01T12:07:00Z');
const SQL = `
  CREATE TABLE feeders (feeder_no integer PRIMARY KEY, feeder_name text);
  CREATE TABLE meters (meter_no integer PRIMARY KEY, feeder_no integer REFERENCES feeders);
  CREATE TABLE meter_reads_electric (
    id bigint GENERATED ALWAYS AS IDENTITY, meter_no integer NOT NULL REFERENCES meters, feeder_no integer REFERENCES feeders,
    tenant_id text NOT NULL DEFAULT 'T', interval_start timestamp NOT NULL, kwh numeric(12, 3) NOT NULL,
    UNIQUE (tenant_id, meter_no, interval_start));
  INSERT INTO feeders VALUES (7, 'North');
  INSERT INTO meters SELECT number, 7 FROM generate_series(1, 40) AS number;
  INSERT INTO meter_reads_electric (meter_no, feeder_no, interval_start, kwh) VALUES (1, 7, '2026-05-30 10:00', 5);`;

describeOnBothBackends('roofs where the table of reads is a customer’s', (backend) => {
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
  const publish = async (readAt: string) => {
    const { status } = await deployment.post('/api/ami/publish-once', {
      ...{ tenantId: 'T', fleet: 'registry', readAt, der: { pv: 1 } },
    });
    expect(status).toBe(202);
    return waitFor('the reads', async () => {
      const written = await rows(
        `SELECT kwh::float8 FROM meter_reads_electric WHERE interval_start = '${readAt.replace('T', ' ').replace('Z', '')}'`,
      );
      return written.length === 40 && written;
    });
  };

  it('write what was drawn, say that the rest has no column, and alter nothing for it', async () => {
    const reads = await publish('2026-06-01T12:00:00Z');
    expect(reads.filter(({ kwh }) => kwh === 0).length).toBeGreaterThan(10);
    const schema = await deployment.http.get('/api/ami/schema');
    expect(schema.body.reads.feedIn).toBeNull();
    expect(
      await rows(
        `SELECT FROM information_schema.columns WHERE table_name = 'meter_reads_electric' AND column_name ~ 'received'`,
      ),
    ).toEqual([]);
  });

  it('are written after an update from a version whose writer had one argument less', async () => {
    const [{ definition }] = await rows(
      `SELECT pg_get_functiondef(oid) AS definition FROM pg_proc WHERE proname = 'ami_write_batch'`,
    );
    await deployment.stop();
    await customer.admin.query(`DROP FUNCTION ami_write_batch`);
    await customer.admin.query(
      definition
        .replace(', p_received_kwh numeric[] DEFAULT NULL::numeric[]', '')
        .replace('-- p_received_kwh has no column here.\n', ''),
    );
    deployment = await startOver(customer, backend, () => NOW);
    await publish('2026-06-01T11:45:00Z');
    expect(await rows(`SELECT FROM pg_proc WHERE proname = 'ami_write_batch'`)).toHaveLength(1);
  });
});
