import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { insertEvent, listEvents, overlappingEvents } from '../../src/events/eventTable.js';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { MIGRATIONS } from '../../src/schema/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const EVENTS = 'phase3_ami_events.sql';
const at = (time: string) => new Date(`2026-06-01T${time}Z`);

describe('sql/phase3_ami_events.sql', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase('empty');
  });
  afterEach(() => database.drop());

  const migrate = () => prepareStorage(database.url, false, createLogger('test', 'silent'));
  /** The database as a version had it that did not know events. */
  const migrateToBefore = async () => {
    await database.pool.query(
      'CREATE TABLE ami_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    for (const name of MIGRATIONS.slice(0, MIGRATIONS.indexOf(EVENTS))) {
      const sql = await readFile(new URL(`../../sql/migrations/${name}`, import.meta.url), 'utf8');
      await database.pool.query(sql);
      const checksum = createHash('sha256').update(sql).digest('hex');
      await database.pool.query('INSERT INTO ami_migrations (name, checksum) VALUES ($1, $2)', [
        name,
        checksum,
      ]);
    }
  };

  it('gives the publishes of a deployment that is upgraded their whole fleet as range', async () => {
    await migrateToBefore();
    await database.pool.query(
      `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count,
         feeder_count, batch_size, batch_count, on_conflict)
       VALUES (gen_random_uuid(), 'T', 'manual', now(), 15, 's', 700, 25, 500, 2, 'nothing')`,
    );
    await migrate();
    const { rows } = await database.pool.query(
      'SELECT range_from, range_to, time_zone, climate FROM ami_publishes',
    );
    expect(rows).toEqual([{ range_from: 0, range_to: 700, time_zone: 'UTC', climate: 'us' }]);
    for (const range of ['-1, 700', '700, 700', '0, 701']) {
      const [from, to] = range.split(', ');
      await expect(
        database.pool.query(`UPDATE ami_publishes SET range_from = ${from}, range_to = ${to}`),
      ).rejects.toThrow(/ami_publishes_range_within_fleet/);
    }
  });

  it('keeps a table that a customer made after the brief, with what is in it, and adds what it lacks', async () => {
    await database.pool.query(
      `CREATE TABLE ami_events (
         id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id text NOT NULL, feeder_id text NOT NULL,
         event_type text NOT NULL, severity numeric NOT NULL DEFAULT 0.5, start_at timestamptz NOT NULL DEFAULT now(),
         end_at timestamptz NOT NULL, is_active boolean NOT NULL DEFAULT true);
       INSERT INTO ami_events (tenant_id, feeder_id, event_type, start_at, end_at) VALUES
         ('T', 'FEEDER_1', 'theft', '2026-06-01T10:00:00Z', '2026-06-01T11:00:00Z'),
         ('T', 'FEEDER_1', 'meter swap', '2026-06-01T10:00:00Z', '2026-06-01T11:00:00Z')`,
    );
    await migrate();
    const { pool } = database;
    const found = await overlappingEvents(pool, 'T', ['FEEDER_1'], at('10:45:00'), at('11:00:00'));
    expect(found).toMatchObject([{ eventType: 'theft', severity: 0.5, meterIds: null, meterFraction: null }]);
    expect(await listEvents(pool, 'T', at('10:30:00'))).toHaveLength(2);
    await pool.query(
      `INSERT INTO ami_events (tenant_id, feeder_id, event_type, end_at) VALUES ('T', 'F', 'meter swap', now())`,
    );
  });

  it('lets no event be written that means nothing', async () => {
    await migrate();
    const event = {
      tenantId: 'T',
      feederId: 'FEEDER_1',
      eventType: 'theft' as const,
      severity: 0.5,
      startAt: at('10:00:00'),
      endAt: at('11:00:00'),
      meterIds: null,
      meterFraction: null,
    };
    const write = (over: object) => insertEvent(database.pool, { ...event, ...over });
    await expect(write({})).resolves.toMatchObject(event);
    await expect(write({ eventType: 'fire' })).rejects.toThrow(/ami_events_type_known/);
    for (const severity of [-0.1, 1.1, Number.NaN])
      await expect(write({ severity })).rejects.toThrow(/ami_events_severity_in_range/);
    await expect(write({ endAt: at('09:59:59') })).rejects.toThrow(/ami_events_end_not_before_start/);
    for (const meterFraction of [0, 1.1])
      await expect(write({ meterFraction })).rejects.toThrow(/ami_events_fraction_in_range/);
    await expect(write({ meterFraction: 0.1, meterIds: ['a'] })).rejects.toThrow(/ami_events_one_selection/);
  });
});
