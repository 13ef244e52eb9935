import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listEvents } from '../../src/events/eventTable.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';

describe('what lists of events carry', () => {
  let pilot: Pilot;
  beforeAll(async () => {
    pilot = await createPilot('postgres');
  });
  afterAll(() => pilot.deployment.close());
  beforeEach(() => pilot.forgetAll());

  const get = (path: string) => pilot.deployment.http.get(`/api/ami${path}`);
  const sql = (text: string, values: unknown[] = []) => pilot.deployment.database.pool.query(text, values);
  /** Events under way that name `meters` meters each, a second apart. */
  const insert = (events: number, meters: number) =>
    sql(
      `INSERT INTO ami_events (tenant_id, feeder_id, event_type, start_at, end_at, meter_ids)
       SELECT $1, 'FEEDER_' || n, 'theft', $2::timestamptz - n * interval '1 s', $2::timestamptz + interval '1 h',
         ARRAY(SELECT 'DEMO_TENANT-MTR-' || lpad(m::text, 5, '0') FROM generate_series(1, $4::integer) m)
       FROM generate_series(1, $3::integer) n`,
      [TENANT, NOW, events, meters],
    );
  /** Bytes of rows that Postgres sends while `ask` runs. */
  const bytesFromPostgres = async (ask: () => Promise<unknown>): Promise<number> => {
    let bytes = 0;
    const query = pg.Client.prototype.query;
    pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
      const callback = args.at(-1);
      if (typeof callback === 'function')
        args[args.length - 1] = (error: unknown, result: { rows?: unknown }) => {
          bytes += JSON.stringify(result?.rows ?? null).length;
          callback(error, result);
        };
      return Reflect.apply(query, this, args);
    } as never;
    try {
      await ask();
      return bytes;
    } finally {
      pg.Client.prototype.query = query;
    }
  };

  it.each(['kpi/quickcheck', 'status'])(
    'H4: %s loads no meter ids of the events under way',
    async (route) => {
      const ask = () => get(`/${route}?tenantId=${TENANT}`);
      await insert(10, 1);
      const few = await bytesFromPostgres(ask);
      await sql('DELETE FROM ami_events');
      await insert(10, 2_500);
      const many = await bytesFromPostgres(ask);
      expect((await ask()).body.activeEvents).toHaveLength(10);
      expect(few).toBeGreaterThan(1_000);
      expect(Math.abs(many - few)).toBeLessThan(1_000);
    },
  );

  it('H4: a list has the first 20 meter ids of an event and their number; the event alone has all', async () => {
    await insert(1, 20);
    const [whole] = (await get(`/events?tenantId=${TENANT}`)).body.events;
    expect(whole.meterIds).toHaveLength(20);
    expect(whole).not.toHaveProperty('meterIdCount');
    await sql('DELETE FROM ami_events');
    await insert(200, 2_500);
    const listed = await get(`/events?tenantId=${TENANT}`);
    expect(listed.body.events).toHaveLength(200);
    expect(listed.text.length).toBeLessThan(250_000);
    const [first] = listed.body.events;
    expect(first).toMatchObject({ meterIdCount: 2_500, feederId: 'FEEDER_1' });
    expect(first.meterIds).toEqual(Array.from({ length: 20 }, (_, n) => meter(n + 1)));
    const alone = (await get(`/events/${first.id}`)).body;
    const { meterIdCount, ...rest } = first;
    expect(alone).toEqual({ ok: true, event: { ...rest, meterIds: expect.any(Array) } });
    expect(alone.event.meterIds).toEqual(Array.from({ length: 2_500 }, (_, n) => meter(n + 1)));
  });

  it('H4: pages follow each other without a gap, also among events of one instant', async () => {
    await sql(
      `INSERT INTO ami_events (tenant_id, feeder_id, event_type, start_at, end_at, created_at)
       SELECT tenant, 'FEEDER_' || n, 'theft', $1::timestamptz - (n / 4) * interval '1 s', $1::timestamptz + interval '1 h', $1
       FROM generate_series(1, 11) n, unnest($2::text[]) tenant`,
      [NOW, [TENANT, 'ANOTHER']],
    );
    const whole = await listEvents(pilot.deployment.database.pool, TENANT, NOW, { limit: 200 });
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const { body } = await get(
        `/events?tenantId=${TENANT}&active=true&limit=4${next ? `&after=${next}` : ''}`,
      );
      seen.push(...body.events.map(({ id }: { id: string }) => id));
      next = body.next;
    } while (next);
    expect(seen).toEqual(whole.map(({ id }) => id));
    const exact = (await get(`/events?tenantId=${TENANT}&limit=11`)).body;
    expect([exact.events.length, exact.next]).toEqual([11, undefined]);
    const foreign = await listEvents(pilot.deployment.database.pool, 'ANOTHER', NOW, { limit: 1 });
    expect((await get(`/events?tenantId=${TENANT}&after=${foreign[0]?.id}`)).body.events).toEqual([]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=1.5', 'limit'],
    ['after=yesterday', 'after'],
  ])('H4: 400 names what is wrong with %s', async (query, field) => {
    const { status, body } = await get(`/events?tenantId=${TENANT}&${query}`);
    expect([status, body.error.split(' ')[0]]).toEqual([400, field]);
  });

  it('H4: an event that is not there is 404, and an id that is none 400', async () => {
    expect((await get('/events/00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await get('/events/7')).status).toBe(400);
    expect((await pilot.deployment.http.post('/api/ami/events/7')).headers.allow).toBe('GET, HEAD, OPTIONS');
  });
});

const meter = (n: number): string => `DEMO_TENANT-MTR-${String(n).padStart(5, '0')}`;
