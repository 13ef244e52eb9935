import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

describe('quickcheck while silent meters are counted for long', () => {
  let pilot: Pilot;
  beforeAll(async () => {
    pilot = await createPilot('postgres');
    await pilot.deployment.startWorker();
    // Other meters are silent in each interval, so that the rollups leave it open.
    await pilot.event('comms-outage', {
      severity: 0.5,
      startAt: '2026-06-01T09:00:00Z',
      durationMinutes: 120,
    });
    await pilot.publishAndFinish({ readAt: '2026-06-01T09:45:00Z' });
    await pilot.publishAndFinish();
    await pilot.deployment.database.pool.query(
      `CREATE SEQUENCE counts;
       ALTER FUNCTION ami_silent_meters RENAME TO ami_silent_meters_at_once;
       CREATE FUNCTION ami_silent_meters(text, timestamptz, timestamptz, boolean, OUT later bigint,
         OUT over_15_minutes bigint, OUT over_an_hour bigint, OUT over_a_day bigint) LANGUAGE plpgsql AS $$
       BEGIN
         PERFORM nextval('counts'), pg_sleep(6);
         SELECT found.* INTO later, over_15_minutes, over_an_hour, over_a_day
         FROM ami_silent_meters_at_once($1, $2, $3, $4) found;
       END $$`,
    );
  });
  afterAll(() => pilot.deployment.close());

  const poll = () => pilot.deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${TENANT}`);

  it('H3: answers without that number and without a tag, and with both once they are counted, once', async () => {
    const first = await poll();
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      staleMetersBuckets: null,
      staleMetersReference: '2026-06-01T10:00:00.000Z',
      warnings: [expect.stringContaining('still being counted')],
    });
    expect(first.headers).not.toHaveProperty('etag');
    expect(first.headers['cache-control']).toBe('no-store');
    const whole = await waitFor('the count', async () => {
      const answer = await poll();
      return answer.body.staleMetersBuckets !== null && answer;
    });
    const { current, staleOver15m } = whole.body.staleMetersBuckets;
    expect(current + staleOver15m).toBeGreaterThan(450);
    expect(staleOver15m).toBeGreaterThan(0);
    expect(whole.body).not.toHaveProperty('warnings');
    expect((await poll().set('If-None-Match', whole.headers.etag as string)).status).toBe(304);
    const { rows } = await pilot.deployment.database.pool.query(
      'SELECT last_value::integer AS counts FROM counts',
    );
    expect(rows).toEqual([{ counts: 1 }]);
  });
});
