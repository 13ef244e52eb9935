import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feederMatrixAnswer } from '../../src/contracts/seriesAnswer.js';
import { csvOf, importTools, NOW, PLAIN } from '../imports/importTools.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const QUARTER = 900_000;
const HOUR = 4 * QUARTER;
const DAY = 24 * HOUR;
const iso = (at: number): string => new Date(at).toISOString();

/** Days on which clocks are changed: when they begin, and how long they are. */
const CHANGES: [zone: string, day: string, startsAt: string, quarterHours: number][] = [
  ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z', 92],
  ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z', 100],
  ['America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z', 100],
  ['Australia/Sydney', '2026-10-04', '2026-10-03T14:00:00.000Z', 92],
  ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00.000Z', 98],
  ['Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00.000Z', 94],
];

describe('C2: the day on which clocks are changed', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {}, () => NOW);
    await deployment.startWorker();
  });
  afterAll(() => deployment.close());
  const get = async (path: string) => (await deployment.http.get(`/api/ami${path}`).set(BEARER)).body;

  it.each(CHANGES)(
    '%s, %s: imported, counted and exported with its energy by hour',
    async (timeZone, day, startsAt, quarterHours) => {
      const tenantId = `${timeZone.replace('/', '-')}.${day}`;
      const set = await deployment.post('/api/ami/zone', { tenantId, timeZone });
      expect([set.status, set.body]).toEqual([200, { ok: true, tenantId, timeZone, nextTimeZone: null }]);
      const first = Date.parse(startsAt);
      const last = first + quarterHours * QUARTER;
      // Each quarter hour has an energy of its own, from half a day before to half a day after.
      const rows: Parameters<typeof csvOf>[0][number][] = [];
      const byHour = new Map<number, number>();
      let ofDay = 0;
      for (let at = first - DAY / 2; at < last + DAY / 2; at += QUARTER)
        for (const meter of ['M1', 'M2']) {
          const wh = 1 + ((at / QUARTER) % 97) + (meter === 'M2' ? 1_000 : 0);
          rows.push([meter, iso(at).replace('T', ' ').slice(0, 16), (wh / 1_000).toFixed(3)]);
          if (at < first || at >= last) continue;
          ofDay += wh;
          const hour = Math.floor(at / HOUR) * HOUR;
          byHour.set(hour, (byHour.get(hour) ?? 0) + wh);
        }
      await importTools(() => deployment.context, tenantId).text(csvOf(rows), PLAIN);

      const { timeZone: shownZone, overview } = await get(`/kpi/quickcheck?tenantId=${tenantId}`);
      expect(shownZone).toBe(timeZone);
      expect(overview).toHaveLength(3);
      expect(overview[1]).toMatchObject({
        day,
        intervals: quarterHours,
        reads: 2 * quarterHours,
        completenessPct: 100,
        kwh: ofDay / 1_000,
      });

      const span = `tenantId=${tenantId}&from=${iso(first)}&to=${iso(last)}&measures=kwh,completenessPct`;
      const days = feederMatrixAnswer.parse(await get(`/kpi/feeders/intervals?${span}&resolution=day`));
      expect(days).toMatchObject({ timeZone, from: startsAt, to: iso(last), times: [startsAt] });
      expect(days.feeders[0]).toMatchObject({ kwh: [ofDay / 1_000], completenessPct: [100] });
      const quarters = feederMatrixAnswer.parse(
        await get(`/kpi/feeders/intervals?${span}&resolution=interval`),
      );
      const shownByHour = new Map<number, number>();
      quarters.times.forEach((time, place) => {
        const hour = Math.floor(Date.parse(time) / HOUR) * HOUR;
        const wh = Math.round((quarters.feeders[0]?.kwh?.[place] ?? 0) * 1_000);
        shownByHour.set(hour, (shownByHour.get(hour) ?? 0) + wh);
      });
      expect(shownByHour).toEqual(byHour);
      const hours = feederMatrixAnswer.parse(await get(`/kpi/feeders/intervals?${span}&resolution=hour`));
      // A day may begin within an hour of UTC: the others are whole.
      for (const [place, time] of hours.times.entries()) {
        const hour = Date.parse(time);
        if (hour < first || hour + HOUR > last) continue;
        expect(Math.round((hours.feeders[0]?.kwh?.[place] ?? 0) * 1_000)).toBe(byHour.get(hour));
      }

      const { text } = await deployment.http
        .get(`/api/ami/exports?tenantId=${tenantId}&from=${day}&to=${day}&format=csv&zone=${timeZone}`)
        .set(BEARER);
      const exported = new Map<number, number>();
      const [head, ...lines] = text.trim().split(/\r?\n/);
      const [start, kwh] = ['interval_start', 'kwh'].map((name) => head?.split(',').indexOf(name)) as [
        number,
        number,
      ];
      for (const line of lines) {
        const cells = line.split(',');
        const hour = Math.floor(Date.parse(cells[start] ?? '') / HOUR) * HOUR;
        exported.set(hour, (exported.get(hour) ?? 0) + Math.round(Number(cells[kwh]) * 1_000));
      }
      expect(lines).toHaveLength(2 * quarterHours);
      expect(exported).toEqual(byHour);
    },
  );

  it('is counted anew by a worker when the tenant gets another zone, and is told so until then', async () => {
    const tenantId = 'MOVED';
    const rows = Array.from({ length: 96 }, (_, place): Parameters<typeof csvOf>[0][number] => [
      'M1',
      iso(Date.parse('2026-06-01T00:00Z') + place * QUARTER)
        .replace('T', ' ')
        .slice(0, 16),
      '1',
    ]);
    await importTools(() => deployment.context, tenantId).text(csvOf(rows), PLAIN);
    const before = await deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${tenantId}`).set(BEARER);
    expect(before.body).toMatchObject({ timeZone: 'UTC', overview: [{ day: '2026-06-01', reads: 96 }] });
    const set = await deployment.post('/api/ami/zone', { tenantId, timeZone: 'Asia/Kathmandu' });
    expect([set.status, set.body.timeZone, set.body.nextTimeZone]).toEqual([202, 'UTC', 'Asia/Kathmandu']);
    await waitFor(
      'the days to be counted',
      async () => (await get(`/zone?tenantId=${tenantId}`)).nextTimeZone === null,
    );
    const after = await deployment.http
      .get(`/api/ami/kpi/quickcheck?tenantId=${tenantId}`)
      .set({ ...BEARER, 'If-None-Match': before.headers.etag ?? '' });
    expect(after.status).toBe(200);
    expect(after.body).toMatchObject({
      timeZone: 'Asia/Kathmandu',
      overview: [
        { day: '2026-06-02', reads: 23 },
        { day: '2026-06-01', reads: 73 },
      ],
    });
  });

  it.each([
    [{ tenantId: 'T', timeZone: 'Mars/Olympus' }, /^timeZone must be a time zone of the IANA database/],
    [{ tenantId: 'T', timeZone: '+02:00' }, /^timeZone must be a time zone of the IANA database/],
    [{ tenantId: 'T', timeZone: 2 }, /^timeZone must be a time zone of the IANA database/],
    [{ tenantId: 'T' }, /^timeZone must be/],
    [{ timeZone: 'UTC' }, /^tenantId must be/],
    [{ tenantId: 'T', timeZone: 'UTC', at: 1 }, /at/],
  ])('is of no zone that is none: %j', async (body, sentence) => {
    const answer = await deployment.post('/api/ami/zone', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.error).toMatch(sentence);
    expect(await get('/zone?tenantId=T')).toMatchObject({ timeZone: 'UTC', nextTimeZone: null });
  });
});
