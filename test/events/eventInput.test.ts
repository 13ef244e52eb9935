import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER } from '../support/deployment.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';

describe('what an event may be', () => {
  let pilot: Pilot;
  beforeAll(async () => {
    pilot = await createPilot('postgres');
  });
  afterAll(() => pilot.deployment.close());

  it.each([
    ['tenantId missing', { tenantId: undefined }, 'tenantId'],
    ['tenantId with a quote', { tenantId: "a'b" }, 'tenantId'],
    ['feederId missing', { feederId: undefined }, 'feederId'],
    ['feederId empty', { feederId: '' }, 'feederId'],
    ['feederId a number', { feederId: 7 }, 'feederId'],
    ['feederId too long', { feederId: 'x'.repeat(65) }, 'feederId'],
    ['feederId with a line break', { feederId: 'a\nb' }, 'feederId'],
    ['feederId with a NUL', { feederId: 'a\u0000' }, 'feederId'],
    ['feederId with half a character', { feederId: '\ud800' }, 'feederId'],
    ['feederId with a space around', { feederId: ' FEEDER_7' }, 'feederId'],
    ['durationMinutes missing', { durationMinutes: undefined }, 'durationMinutes'],
    ['durationMinutes zero', { durationMinutes: 0 }, 'durationMinutes'],
    ['durationMinutes negative', { durationMinutes: -5 }, 'durationMinutes'],
    ['durationMinutes a fraction', { durationMinutes: 1.5 }, 'durationMinutes'],
    ['durationMinutes a string', { durationMinutes: '60' }, 'durationMinutes'],
    ['severity over 1', { severity: 1.01 }, 'severity'],
    ['severity below 0', { severity: -0.1 }, 'severity'],
    ['severity a string', { severity: '0.5' }, 'severity'],
    ['severity null', { severity: null }, 'severity'],
    ['startAt no instant', { startAt: 'now' }, 'startAt'],
    ['startAt without a zone', { startAt: '2026-06-01T10:00:00' }, 'startAt'],
    ['startAt in the last century', { startAt: '1999-12-31T23:59:59Z' }, 'startAt'],
    ['startAt too far ahead', { startAt: '2027-06-03T00:00:00Z' }, 'startAt'],
    ['meterIds empty', { meterIds: [] }, 'meterIds'],
    ['meterIds a string', { meterIds: 'a' }, 'meterIds'],
    ['meterIds with one twice', { meterIds: ['a', 'a'] }, 'meterIds'],
    ['meterIds too many', { meterIds: Array.from({ length: 5_001 }, (_, index) => `m${index}`) }, 'meterIds'],
    ['meterIds with an empty one', { meterIds: ['a', ''] }, 'meterIds.1'],
    ['meterIds with a number', { meterIds: [7] }, 'meterIds.0'],
    ['meterFraction zero', { meterFraction: 0 }, 'meterFraction'],
    ['meterFraction over 1', { meterFraction: 1.1 }, 'meterFraction'],
    ['meterFraction a string', { meterFraction: '0.1' }, 'meterFraction'],
    ['meterFraction beside meterIds', { meterFraction: 0.1, meterIds: ['a'] }, 'meterFraction'],
    ['applyNow a string', { applyNow: 'yes' }, 'applyNow'],
    ['a misspelt field', { aplyNow: true }, 'aplyNow'],
  ])('400 names the field: %s', async (_name, body, field) => {
    for (const type of ['theft', 'comms-outage', 'voltage-sag']) {
      const response = await pilot.event(type, body);
      expect([response.status, response.body.code]).toEqual([400, 'invalid_request']);
      expect(response.body.error.split(' ')[0]).toBe(field);
      expect(response.body.error).not.toMatch(/\n|undefined/);
    }
    expect(await pilot.count('ami_events')).toBe(0);
  });

  it('takes a delivery of an outage alone', async () => {
    for (const delivery of ['later', '', null, true, 'LATE']) {
      const { status, body } = await pilot.event('comms-outage', { delivery });
      expect([status, body.error]).toEqual([400, 'delivery must be "lost" or "late".']);
    }
    const theft = await pilot.event('theft', { delivery: 'late' });
    expect([theft.status, theft.body.error.split(' ')[0]]).toEqual([400, 'delivery']);
    expect(await pilot.count('ami_events')).toBe(0);
  });

  it('400 for numbers JSON can write but nobody can mean, and for no body at all', async () => {
    const raw = (body: string) =>
      pilot.deployment.http
        .post('/api/ami/event/theft')
        .set(BEARER)
        .set('Content-Type', 'application/json')
        .send(body);
    const duration = await raw('{"tenantId":"T","feederId":"F","durationMinutes":1e999}');
    expect([duration.status, duration.body.error.split(' ')[0]]).toEqual([400, 'durationMinutes']);
    const empty = await pilot.deployment.post('/api/ami/event/theft', undefined);
    expect([empty.status, empty.body.error.split(' ')[0]]).toEqual([400, 'tenantId']);
  });

  it('401 without the key; the list is readable, by the dashboard’s origin too; 405 and 404 for the rest', async () => {
    const { http } = pilot.deployment;
    expect((await http.post('/api/ami/event/theft').send({})).status).toBe(401);
    const listed = await http
      .get(`/api/ami/events?tenantId=${TENANT}`)
      .set('Origin', 'https://app.gridlensenergy.com');
    expect(listed.status).toBe(200);
    expect(listed.headers['access-control-allow-origin']).toBe('https://app.gridlensenergy.com');
    expect((await http.put('/api/ami/events')).headers.allow).toBe('GET, HEAD, OPTIONS');
    expect((await http.get('/api/ami/event/comms-outage')).headers.allow).toBe('POST, OPTIONS');
    expect((await http.post('/api/ami/event/fire').send({})).status).toBe(404);
    for (const [query, field] of [
      ['', 'tenantId'],
      [`tenantId=${TENANT}&active=maybe`, 'active'],
    ]) {
      const { status, body } = await http.get(`/api/ami/events?${query}`);
      expect([status, body.error.split(' ')[0]]).toEqual([400, field]);
    }
  });

  it('takes the edges: severity 0 and 1, a minute, a year ahead, the whole feeder as a share', async () => {
    for (const body of [
      { severity: 0, durationMinutes: 1 },
      { severity: 1, meterFraction: 1 },
      { startAt: new Date(NOW.getTime() + 366 * 86_400_000).toISOString() },
      {
        startAt: '2000-01-01T00:00:00Z',
        meterIds: Array.from({ length: 5_000 }, (_, index) => `meter-${index}`),
      },
    ]) {
      expect((await pilot.event('theft', body)).status).toBe(201);
    }
  });
});
