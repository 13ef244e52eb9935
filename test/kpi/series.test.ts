import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  feederMatrixAnswer,
  feederMetersAnswer,
  feederSeriesAnswer,
  meterSeriesAnswer,
  tenantsAnswer,
} from '../../src/contracts/seriesAnswer.js';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';

const DAY = '2026-06-01T00:00:00.000Z';
const span = (from: string, to: string) => `tenantId=${TENANT}&from=${from}&to=${to}`;
const MORNING = span('2026-06-01T09:00:00Z', '2026-06-01T10:00:00Z');

/** Three meters: two on FEEDER_1, one on FEEDER_2. A quarter hour that is left out was not read. */
const READS: [meter: string, feeder: string, time: string, kwh: number, delivered: number, volts: number][] =
  [
    ['M1', 'FEEDER_1', '09:00', 0.9, 1, 120],
    ['M2', 'FEEDER_1', '09:00', 1.9, 2, 121],
    ['M3', 'FEEDER_2', '09:00', 0.5, 1, 110],
    ['M1', 'FEEDER_1', '09:15', 1, 1, 119],
    ['M3', 'FEEDER_2', '09:15', 3, 3, 130],
    ['M3', 'FEEDER_2', '09:45', 3, 3, 120],
  ];

describe('series of feeders and meters', () => {
  let pilot: Pilot;
  const sql = (text: string, values: unknown[] = []) => pilot.deployment.database.pool.query(text, values);
  const get = (path: string, headers: Record<string, string> = {}) =>
    pilot.deployment.http.get(`/api/ami${path}`).set(headers);
  const insert = (rows: typeof READS, tenant = TENANT) =>
    sql(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::numeric[], $6::numeric[], $7::numeric[])`,
      [
        tenant,
        rows.map(([meter]) => meter),
        rows.map(([, feeder]) => feeder),
        rows.map(([, , time]) => (time.length > 5 ? time : `2026-06-01T${time}:00Z`)),
        rows.map((row) => row[3]),
        rows.map((row) => row[4]),
        rows.map((row) => row[5]),
      ],
    );
  beforeAll(async () => {
    pilot = await createPilot('postgres');
    await sql(`SELECT ami_ensure_read_partition(day::date)
               FROM generate_series(timestamp '2026-05-25', timestamp '2026-06-02', interval '1 day') AS day`);
    await insert(READS);
  });
  afterAll(() => pilot.deployment.close());

  it('has a column per figure, and null where nothing was read', async () => {
    const { status, body } = await get(`/kpi/feeders/FEEDER_1/intervals?${MORNING}`);
    expect(status).toBe(200);
    expect(feederSeriesAnswer.parse(body)).toEqual({
      ok: true,
      tenantId: TENANT,
      feederId: 'FEEDER_1',
      timeZone: 'UTC',
      from: '2026-06-01T09:00:00.000Z',
      to: '2026-06-01T10:00:00.000Z',
      resolution: 'interval',
      stepMinutes: 15,
      times: ['09:00', '09:15', '09:30', '09:45'].map((time) => `2026-06-01T${time}:00.000Z`),
      expectedMeters: [2, 2, null, 2],
      reportingMeters: [2, 1, null, 0],
      completenessPct: [100, 50, null, 0],
      estimatedPct: [0, 0, null, null],
      kwh: [2.8, 1, null, null],
      deliveredKwh: [3, 1, null, null],
      receivedKwh: [null, null, null, null],
      lossPct: [6.667, 0, null, null],
      minVoltage: [120, 119, null, null],
      lowVoltageReads: [0, 0, null, null],
    });
  });

  it('sums up hours and days, with completeness by the intervals that anybody reported', async () => {
    for (const [resolution, stepMinutes, first] of [
      ['hour', 60, '2026-06-01T09:00:00.000Z'],
      ['day', 1_440, DAY],
    ] as const) {
      const { body } = await get(
        `/kpi/feeders/intervals?${MORNING}&resolution=${resolution}&measures=lossPct,completenessPct,kwh,deliveredKwh,minVoltage`,
      );
      const answer = feederMatrixAnswer.parse(body);
      expect(answer).toMatchObject({ resolution, stepMinutes, times: [first] });
      expect(answer.feeders).toEqual([
        {
          feederId: 'FEEDER_1',
          lossPct: [5],
          completenessPct: [50],
          kwh: [3.8],
          deliveredKwh: [4],
          minVoltage: [119],
        },
        {
          feederId: 'FEEDER_2',
          lossPct: [7.143],
          completenessPct: [100],
          kwh: [6.5],
          deliveredKwh: [7],
          minVoltage: [110],
        },
      ]);
    }
  });

  it('chooses the resolution by the span, and has only the measures that were asked for', async () => {
    for (const [from, resolution, steps] of [
      ['2026-05-31T00:00:00Z', 'interval', 192],
      ['2026-05-25T00:00:00Z', 'hour', 192],
      ['2026-03-01T00:00:00Z', 'day', 93],
    ] as const) {
      const { body } = await get(`/kpi/feeders/intervals?${span(from, '2026-06-02T00:00:00Z')}`);
      const answer = feederMatrixAnswer.parse(body);
      expect([answer.resolution, answer.times.length]).toEqual([resolution, steps]);
      for (const feeder of answer.feeders) {
        expect(Object.keys(feeder)).toEqual(['feederId', 'lossPct']);
        expect(feeder.lossPct).toHaveLength(steps);
      }
    }
  });

  it('shows what is written after an answer, and 304 to who has it all', async () => {
    const path = `/kpi/feeders/intervals?${span('2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z')}&measures=kwh&resolution=hour`;
    const before = await get(path);
    const tag = before.headers.etag as string;
    expect(before.headers['cache-control']).toBe('no-cache');
    expect((await get(path, { 'If-None-Match': tag })).status).toBe(304);
    expect((await get(path, { 'If-None-Match': `W/"other", ${tag}` })).status).toBe(304);
    await insert([['M1', 'FEEDER_1', '11:00', 7, 7, 120]]);
    const after = await get(path, { 'If-None-Match': tag });
    expect(after.status).toBe(200);
    expect([before.body.feeders[0].kwh[11], after.body.feeders[0].kwh[11]]).toEqual([null, 7]);
    await sql(`DELETE FROM meter_reads_electric WHERE read_at = '2026-06-01T11:00Z'`);
    expect((await get(path)).body.feeders).toEqual(before.body.feeders);
  });

  it('takes a tenant by the full hour for one of hourly intervals', async () => {
    await insert([['H1', 'F', '09:00', 1, 1, 120]], 'HOURLY');
    const query = MORNING.replace(TENANT, 'HOURLY');
    for (const path of [`/kpi/feeders/F/intervals?${query}`, `/kpi/meters/H1/intervals?${query}`]) {
      const { body } = await get(path);
      expect([body.stepMinutes, body.times, body.kwh]).toEqual([60, ['2026-06-01T09:00:00.000Z'], [1]]);
    }
  });

  it('still expects a feeder that has gone dark, for a week', async () => {
    await insert(
      [
        ['D1', 'DARK', '2026-05-25T09:00:00Z', 1, 1, 120],
        ['D2', 'LIGHT', '2026-06-01T09:00:00Z', 1, 1, 120],
      ],
      'DARKENED',
    );
    const { body } = await get(
      `/kpi/feeders/DARK/intervals?${MORNING.replace(TENANT, 'DARKENED')}&resolution=day`,
    );
    expect([body.expectedMeters, body.completenessPct, body.kwh]).toEqual([[1], [0], [null]]);
  });

  it('lists suspicious meters first, by missing energy, whatever others lose, and silent ones last', async () => {
    await insert(
      [
        ['LARGE', 'THEFT', '09:00', 95, 100, 120],
        ['RIGHT', 'THEFT', '09:00', 0.5, 0.5, 120],
        ['SMALL', 'THEFT', '09:00', 0.1, 0.5, 120],
        ['MORE', 'THEFT', '09:00', 0.1, 0.9, 120],
        ['SILENT', 'THEFT', '08:45', 0.1, 0.9, 120],
      ],
      'DARKENED',
    );
    const listed = async (order: string): Promise<string[]> => {
      const query = `tenantId=DARKENED&at=2026-06-01T09:00:00Z&sort=suspicious&order=${order}`;
      const { body } = await get(`/kpi/feeders/THEFT/meters?${query}`);
      return body.meters.map(({ meterId }: { meterId: string }) => meterId);
    };
    expect(await listed('desc')).toEqual(['MORE', 'SMALL', 'LARGE', 'RIGHT', 'SILENT']);
    expect(await listed('asc')).toEqual(['RIGHT', 'LARGE', 'SMALL', 'MORE', 'SILENT']);
  });

  it('lists the meters of a feeder in one interval, silent ones too, by page and in any order', async () => {
    const at = 'at=2026-06-01T09:00:00Z';
    const first = await get(
      `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&${at}&limit=1&sort=kwh&order=desc`,
    );
    expect(feederMetersAnswer.parse(first.body)).toMatchObject({
      intervalStart: '2026-06-01T09:00:00.000Z',
      intervalEnd: '2026-06-01T09:15:00.000Z',
      meters: [
        {
          meterId: 'M2',
          kwh: 1.9,
          deliveredKwh: 2,
          voltage: 121,
          suspicious: false,
          lowVoltage: false,
          reported: true,
        },
      ],
      next: 'M2',
    });
    const second = await get(
      `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&${at}&limit=1&sort=kwh&order=desc&after=M2`,
    );
    expect(second.body).toMatchObject({ meters: [{ meterId: 'M1' }], next: null });
    const silent = await get(
      `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&at=2026-06-01T09:15:00Z&sort=voltage`,
    );
    expect(
      silent.body.meters.map((meter: { meterId: string; reported: boolean }) => [
        meter.meterId,
        meter.reported,
      ]),
    ).toEqual([
      ['M1', true],
      ['M2', false],
    ]);
    const low = await get(`/kpi/feeders/FEEDER_2/meters?tenantId=${TENANT}&${at}`);
    expect(low.body.meters).toMatchObject([{ meterId: 'M3', suspicious: true, lowVoltage: true }]);
  });

  it('has the latest interval that is written where no interval is named, and finds a meter that has moved', async () => {
    await insert([['M1', 'FEEDER_2', '10:00', 1, 1, 120]]);
    const of = async (feeder: string) => (await get(`/kpi/feeders/${feeder}/meters?tenantId=${TENANT}`)).body;
    expect(await of('FEEDER_2')).toMatchObject({
      intervalStart: '2026-06-01T10:00:00.000Z',
      meters: [
        { meterId: 'M1', reported: true },
        { meterId: 'M3', reported: false },
      ],
    });
    expect((await of('FEEDER_1')).meters).toMatchObject([{ meterId: 'M2', reported: false }]);
    await sql(`DELETE FROM meter_reads_electric WHERE read_at = '2026-06-01T10:00Z'`);
  });

  it('shows a meter with its flags, and the events that concern it apart from them', async () => {
    const event = async (body: object) =>
      (await pilot.event('theft', { startAt: '2026-06-01T09:00:00Z', ...body })).body;
    const own = await event({ feederId: 'FEEDER_2', meterIds: ['M3'] });
    const share = await event({ feederId: 'FEEDER_2', meterFraction: 0.5 });
    await event({ feederId: 'FEEDER_2', meterIds: ['M9'] });
    await event({ feederId: 'FEEDER_1' });
    const { body, headers } = await get(`/kpi/meters/M3/intervals?${MORNING}`);
    const answer = meterSeriesAnswer.parse(body);
    expect(answer).toMatchObject({
      feederId: 'FEEDER_2',
      stepMinutes: 15,
      kwh: [0.5, 3, null, 3],
      deliveredKwh: [1, 3, null, 3],
      voltage: [110, 130, null, 120],
      flags: [['SUSPICIOUS', 'LOW_VOLTAGE'], ['HIGH_VOLTAGE'], null, []],
    });
    expect(answer.events.map(({ id, meterFraction }) => [id, meterFraction]).toSorted()).toEqual(
      [
        [own.event.id, null],
        [share.event.id, 0.5],
      ].toSorted(),
    );
    const again = await get(`/kpi/meters/M3/intervals?${MORNING}`, {
      'If-None-Match': headers.etag as string,
    });
    expect(again.status).toBe(304);
  });

  it('lists tenants by page', async () => {
    const all = tenantsAnswer.parse((await get('/tenants')).body);
    expect(all).toMatchObject({ next: null });
    expect(all.tenants.map(({ tenantId }) => tenantId)).toEqual(['DARKENED', TENANT, 'HOURLY']);
    expect(all.tenants[1]).toEqual({
      tenantId: TENANT,
      latestReadAt: '2026-06-01T09:45:00.000Z',
      automatic: false,
    });
    const page = (await get('/tenants?limit=2')).body;
    expect([page.tenants.length, page.next]).toEqual([2, TENANT]);
    expect((await get(`/tenants?limit=2&after=${page.next}`)).body).toMatchObject({
      tenants: [{ tenantId: 'HOURLY' }],
      next: null,
    });
  });

  it('answers before, after and without data with nulls and empty lists', async () => {
    for (const day of ['2020-01-01', '2027-01-01']) {
      const query = span(`${day}T00:00:00Z`, `${day}T00:30:00Z`);
      const feeder = await get(`/kpi/feeders/FEEDER_1/intervals?${query}`);
      expect([feeder.status, feeder.body.kwh, feeder.body.expectedMeters]).toEqual([
        200,
        [null, null],
        [null, null],
      ]);
      expect((await get(`/kpi/feeders/intervals?${query}`)).body.feeders).toEqual([]);
      expect((await get(`/kpi/meters/M1/intervals?${query}`)).body.kwh).toEqual([null, null]);
    }
    expect((await get(`/kpi/feeders/intervals?${MORNING.replace(TENANT, 'NOBODY')}`)).body.feeders).toEqual(
      [],
    );
  });

  it('covers whole steps where a span begins or ends within one', async () => {
    const { body } = await get(
      `/kpi/feeders/FEEDER_1/intervals?${span('2026-06-01T09:07:00Z', '2026-06-01T09:16:00Z')}`,
    );
    expect([body.from, body.to, body.kwh]).toEqual([
      '2026-06-01T09:00:00.000Z',
      '2026-06-01T09:30:00.000Z',
      [2.8, 1],
    ]);
  });

  const long = span('2026-01-01T00:00:00Z', '2027-06-01T00:00:00Z');
  it.each([
    [400, `/kpi/feeders/intervals?tenantId=${TENANT}`, /^from must be an ISO 8601 instant/],
    [
      400,
      `/kpi/feeders/intervals?${span('2026-06-01T10:00:00Z', '2026-06-01T10:00:00Z')}`,
      /^from must lie before to, which is 2026-06-01T10:00:00.000Z\.$/,
    ],
    [
      400,
      `/kpi/feeders/intervals?${span('1999-06-01T10:00:00Z', '1999-06-01T11:00:00Z')}`,
      /^from must not lie before the year 2000\.$/,
    ],
    [400, `/kpi/feeders/intervals?${long}`, /^from must lie within 366 days before to\.$/],
    [
      400,
      `/kpi/feeders/F/intervals?${long}&resolution=hour`,
      /^from must lie within 62 days before to with resolution=hour; resolution=day takes more\.$/,
    ],
    [
      400,
      `/kpi/feeders/intervals?${long}&resolution=interval`,
      /^from must lie within 14 days before to with resolution=interval/,
    ],
    [
      400,
      `/kpi/feeders/intervals?${MORNING}&resolution=minute`,
      /^resolution must be interval, hour or day\.$/,
    ],
    [400, `/kpi/feeders/intervals?${MORNING}&measures=lossPct,loss`, /^measures must be a list of lossPct, /],
    [400, `/kpi/meters/M1/intervals?${long}`, /^from must lie within 35 days before to\.$/],
    [
      400,
      `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&at=2026-06-01T09:01:00Z`,
      /^at must lie on a 15-minute boundary/,
    ],
    [400, `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&after=M3`, /^after must be a meter of FEEDER_1/],
    [
      400,
      `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&limit=0`,
      /^limit must be a whole number from 1 to 1000\.$/,
    ],
    [400, `/kpi/feeders/FEEDER_1/meters?tenantId=${TENANT}&sort=loss`, /^sort must be one of meterId, /],
    [400, '/tenants?limit=201', /^limit must be a whole number from 1 to 200\.$/],
    [400, `/kpi/feeders/%00/intervals?${MORNING}`, /^feederId must not have the character U\+0000/],
    [404, `/kpi/feeders/NO/intervals?${MORNING}`, /^No read of tenant DEMO_TENANT names a feeder NO\.$/],
    [404, `/kpi/feeders/NO/meters?tenantId=${TENANT}`, /^No read of tenant DEMO_TENANT names a feeder NO\.$/],
    [404, `/kpi/meters/NO/intervals?${MORNING}`, /^Tenant DEMO_TENANT has no read of a meter NO\.$/],
  ])('refuses with %i and one sentence: %s', async (status, path, sentence) => {
    const answer = await get(path);
    expect([answer.status, answer.body.ok]).toEqual([status, false]);
    expect(answer.body.error).toMatch(sentence);
  });
});
