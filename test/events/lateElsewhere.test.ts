import { afterEach, beforeEach, expect, it } from 'vitest';
import { TENANT as AUTO, type AutoTenant, createAutoTenant } from '../support/autoTenant.js';
import { describeOnBothBackends } from '../support/backends.js';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

const at = (time: string) => new Date(`2026-06-01T${time}:00Z`);
type Sql = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

const nothingHeld = (sql: Sql) =>
  waitFor('everything to be delivered', async () => {
    const open = await sql(`SELECT FROM ami_held_reads WHERE state IN ('held', 'sent')`);
    return open.length === 0;
  });
const held = async (sql: Sql) => {
  const rows = await sql('SELECT state, sum(reads)::integer AS reads FROM ami_held_reads GROUP BY 1');
  return Object.fromEntries(rows.map(({ state, reads }) => [state, reads]));
};

describeOnBothBackends('a late outage on a registry fleet', (backend) => {
  let pilot: Pilot;
  let sql: Sql;
  beforeEach(async () => {
    pilot = await createPilot(backend);
    sql = async (text, values = []) => (await pilot.deployment.database.pool.query(text, values)).rows;
    await sql(
      `INSERT INTO feeders (tenant_id, feeder_id, name) SELECT $1, feeder, feeder FROM unnest('{EAST,North 1,Zürich}'::text[]) feeder`,
      [TENANT],
    );
    await sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id)
       SELECT $1, 'M' || lpad(n::text, 3, '0'), ('{EAST,North 1,Zürich}'::text[])[n % 3 + 1] FROM generate_series(1, 150) n
       ORDER BY md5(n::text)`,
      [TENANT],
    );
    await pilot.deployment.startWorker();
  });
  afterEach(() => pilot.deployment.close());

  const REGISTRY = { fleet: 'registry', meterCount: undefined, feederCount: undefined, batchSize: 40 };
  const publishAll = async (...times: string[]) => {
    for (const time of times) {
      pilot.setClock(new Date(at(time).getTime() + 420_000));
      await pilot.publishAndFinish(REGISTRY);
    }
  };
  const reads = async () =>
    sql(
      'SELECT meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage FROM meter_reads_electric ORDER BY 1, 3',
    );
  const outage = () =>
    pilot.event('comms-outage', {
      ...{ feederId: 'Zürich', severity: 1, delivery: 'late', startAt: at('10:00'), durationMinutes: 30 },
    });

  it('is delivered to the same reads as without it', async () => {
    await publishAll('10:00', '10:15', '10:30');
    const expected = await reads();
    await pilot.forgetAll();
    await outage();
    await publishAll('10:00', '10:15');
    expect(await held(sql)).toEqual({ held: 100 });
    expect(await sql(`SELECT FROM meter_reads_electric WHERE feeder_id = 'Zürich'`)).toEqual([]);
    await publishAll('10:30');
    await nothingHeld(sql);
    expect(await held(sql)).toEqual({ delivered: 100 });
    expect(await reads()).toEqual(expected);
  });

  it('delivers the meters as they were, whatever has come into the registry or gone from it since', async () => {
    await publishAll('10:00', '10:15', '10:30');
    const expected = await reads();
    await pilot.forgetAll();
    await outage();
    await publishAll('10:00', '10:15');
    // Another snapshot for what is published from now on.
    await sql(`DELETE FROM meters WHERE meter_id IN ('M002', 'M005')`);
    await sql(`UPDATE meters SET feeder_id = 'EAST' WHERE meter_id = 'M008'`);
    await sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M000', 'Zürich')`, [TENANT]);
    pilot.setClock(at('10:31'));
    await nothingHeld(sql);
    const before = ({ read_at }: Record<string, unknown>) => (read_at as Date) < at('10:30');
    expect(await reads()).toEqual(expected.filter(before));
  });
});

describeOnBothBackends('a late outage where the table of reads is a customer’s', (backend) => {
  let customer: CustomerDatabase;
  let deployment: CustomerDeployment;
  let sql: Sql;
  /** The worker has the real clock: the outage lasts until it is ended. */
  const LAST = Math.floor(Date.now() / 900_000) * 900_000;
  const INTERVALS = [2, 1, 0].map((before) => new Date(LAST - before * 900_000).toISOString());
  const SQL = `
    CREATE TABLE feeders (feeder_no integer PRIMARY KEY, feeder_name text);
    CREATE TABLE meters (meter_no integer PRIMARY KEY, feeder_no integer REFERENCES feeders);
    CREATE TABLE meter_reads_electric (
      id bigint GENERATED ALWAYS AS IDENTITY, meter_no integer NOT NULL REFERENCES meters, feeder_no integer REFERENCES feeders,
      tenant_id text NOT NULL DEFAULT 'T', interval_start timestamp NOT NULL, kwh numeric(12, 3) NOT NULL,
      UNIQUE (tenant_id, meter_no, interval_start));
    INSERT INTO feeders VALUES (7, 'North'), (8, 'South');
    INSERT INTO meters SELECT number, 7 + number % 2 FROM generate_series(1, 60) AS number;
    INSERT INTO meter_reads_electric (meter_no, feeder_no, interval_start, kwh) VALUES (1, 8, '2026-05-30 10:00', 5);`;
  beforeEach(async () => {
    customer = await createCustomerDatabase({ sql: SQL });
    deployment = await startOver(customer, backend, () => new Date());
    sql = async (text, values = []) => (await customer.admin.query(text, values)).rows;
  });
  afterEach(async () => {
    await deployment.stop();
    await customer.drop();
  });
  const publish = async (readAt: string) => {
    const { status, body } = await deployment.post('/api/ami/publish-once', {
      ...{ tenantId: 'T', fleet: 'registry', batchSize: 25, readAt },
    });
    expect(status).toBe(202);
    await waitFor('the publish', async () => {
      const answer = await deployment.http.get(`/api/ami/publish/${body.publishId}`);
      return answer.body.state === 'done';
    });
  };
  const OURS = `interval_start >= (timestamptz '${INTERVALS[0]}') AT TIME ZONE 'UTC'`;
  const reads = () =>
    sql(
      `SELECT meter_no, feeder_no, to_char(interval_start, 'YYYY-MM-DD"T"HH24:MI') AS start, kwh::text
       FROM meter_reads_electric WHERE ${OURS} ORDER BY 1, 3`,
    );
  const forget = async () => {
    await sql(`DELETE FROM meter_reads_electric WHERE ${OURS}`);
    await sql('TRUNCATE ami_publishes CASCADE');
    await sql('TRUNCATE ami_written_reads');
  };

  it('is delivered into it to the same reads as without it, and leaves alone what came meanwhile', async () => {
    for (const readAt of INTERVALS) await publish(readAt);
    const expected = await reads();
    expect(expected).toHaveLength(180);
    await forget();
    const { status, body } = await deployment.post('/api/ami/event/comms-outage', {
      ...{ tenantId: 'T', feederId: '7', severity: 1, delivery: 'late' },
      ...{ startAt: INTERVALS[0], durationMinutes: 600 },
    });
    expect(status).toBe(201);
    for (const readAt of INTERVALS) await publish(readAt);
    expect(await held(sql)).toEqual({ held: 90 });
    expect(await reads()).toHaveLength(90);
    // The customer's own system reads one of the meters by hand.
    await sql(
      `INSERT INTO meter_reads_electric (meter_no, feeder_no, interval_start, kwh)
       VALUES (2, 7, timestamptz '${INTERVALS[0]}' AT TIME ZONE 'UTC', 99.5)`,
    );
    expect((await deployment.post(`/api/ami/event/${body.event.id}/stop`, {})).status).toBe(200);
    await nothingHeld(sql);
    expect(await held(sql)).toEqual({ delivered: 90 });
    const byHand = (read: Record<string, unknown>) =>
      read.meter_no === 2 && INTERVALS[0]?.startsWith(String(read.start));
    expect(await reads()).toEqual(expected.map((read) => (byHand(read) ? { ...read, kwh: '99.500' } : read)));
    expect(
      await sql(
        `SELECT sum(reads)::integer AS reads, sum(kwh)::text AS kwh FROM ami_feeder_intervals WHERE read_at >= '${INTERVALS[0]}'`,
      ),
    ).toEqual(
      await sql(
        `SELECT count(*)::integer AS reads, sum(kwh)::text AS kwh FROM meter_reads_electric WHERE ${OURS}`,
      ),
    );
  });
});

describeOnBothBackends('a late outage in a replay', (backend) => {
  let auto: AutoTenant;
  beforeEach(async () => {
    auto = await createAutoTenant(backend);
    await auto.deployment.startWorker();
  });
  afterEach(() => auto.deployment.close());

  const reads = () =>
    auto.sql(
      'SELECT meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage FROM meter_reads_electric ORDER BY 1, 3',
    );
  const SLOTS = ['08:00', '08:15', '08:30', '08:45', '09:00', '09:15', '09:30', '09:45', '10:00'];
  const outage = (body: object) =>
    auto.deployment.post('/api/ami/event/comms-outage', {
      ...{ tenantId: AUTO, feederId: 'FEEDER_7', severity: 1, delivery: 'late' },
      ...body,
    });
  const replay = (body: object = {}) =>
    auto.start({ replay: { from: '2026-06-01T08:00:00Z', speed: 60 }, ...body });
  const whole = () => auto.settled(Object.fromEntries(SLOTS.map((slot) => [slot, 50])));
  const forget = async () => {
    await auto.stop();
    for (const tables of ['meter_reads_electric', 'ami_publishes CASCADE', 'ami_events'])
      await auto.deployment.database.truncate(tables);
  };

  it('is over by the clock of the replay, and delivered while it still runs', async () => {
    await replay();
    auto.setClock('2026-06-01T10:12:00Z');
    await whole();
    const expected = await reads();
    await forget();

    auto.setClock('2026-06-01T10:07:00Z');
    await outage({ startAt: at('08:00'), durationMinutes: 60 });
    await replay();
    // 44 minutes on the replay's clock, by which the outage lasts.
    auto.setClock('2026-06-01T10:07:44Z');
    await auto.settled({ '08:00': 45, '08:15': 45, '08:30': 45 });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await held(auto.sql)).toEqual({ held: 15 });
    // Now it is 9:05 there, and 10:08 here.
    auto.setClock('2026-06-01T10:08:05Z');
    await auto.settled({ '08:00': 50, '08:15': 50, '08:30': 50, '08:45': 50, '09:00': 50 });
    await nothingHeld(auto.sql);
    expect(await held(auto.sql)).toEqual({ delivered: 20 });
    auto.setClock('2026-06-01T10:12:00Z');
    await whole();
    expect(await reads()).toEqual(expected);
  });

  it('brings a fleet’s ordinary lateness by that clock too', async () => {
    await replay();
    auto.setClock('2026-06-01T10:12:00Z');
    await whole();
    const expected = await reads();
    await forget();

    auto.setClock('2026-06-01T10:07:00Z');
    await replay({ lateness: { share: 0.1, maxIntervals: 2, duplicates: 0.1 } });
    auto.setClock('2026-06-01T10:07:59Z');
    await waitFor('four intervals', async () => Object.keys(await auto.reads()).length === 4);
    auto.setClock('2026-06-01T10:12:00Z');
    await waitFor('the end of the replay', async () => (await auto.status()).replay === null);
    // What it publishes from then on would be late by a clock that stands.
    await auto.stop();
    auto.setClock('2026-06-01T12:00:00Z');
    await nothingHeld(auto.sql);
    expect((await held(auto.sql)).delivered).toBeGreaterThan(10);
    const { rows } = await auto.deployment.database.pool.query(
      `SELECT meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage FROM meter_reads_electric
       WHERE read_at <= '2026-06-01T10:00Z' ORDER BY 1, 3`,
    );
    expect(rows).toEqual(expected);
  });
});
