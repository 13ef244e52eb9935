import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPilot, type Pilot, TENANT } from '../support/pilot.js';

/** Each one can be loaded from a fleet file; the last stands for a customer's own table, whose ids have no limit. */
const REGISTERED = [
  ['of 128 characters', 'x'.repeat(128)],
  ['with a zero-width joiner', 'ක්\u200dෂ වීදිය'],
  ['with a zero-width non-joiner', 'ایستگاه می\u200cروم'],
  ['with an ideographic space', '変電所\u30003番'],
  ['with a no-break space', 'Poste\u00a0Nord'],
  ['of private use', 'Feeder \ue000'],
  ['of 512 characters beyond the basic plane', '𐎠'.repeat(512)],
] as const;

describe('feeders that an event may be on', () => {
  let pilot: Pilot;
  beforeAll(async () => {
    pilot = await createPilot('postgres');
  });
  afterAll(() => pilot.deployment.close());
  beforeEach(() => pilot.forgetAll());

  const sql = (text: string, values: unknown[]) => pilot.deployment.database.pool.query(text, values);

  it.each(REGISTERED)('H5: takes a feeder that the registry knows: %s', async (_name, feederId) => {
    await sql('INSERT INTO feeders (tenant_id, feeder_id, name) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING', [
      TENANT,
      feederId,
    ]);
    const { status, body } = await pilot.event('theft', { feederId, meterIds: ['m\u200d1', 'm\u00a02'] });
    expect([status, body.error]).toEqual([201, undefined]);
    expect(body.event).toMatchObject({ feederId, meterIds: ['m\u200d1', 'm\u00a02'] });
    const { body: list } = await pilot.deployment.http.get(`/api/ami/events?tenantId=${TENANT}`);
    expect(list.events.map((event: { feederId: string }) => event.feederId)).toEqual([feederId]);
  });

  it.each([
    ['North\u200bWest', 'has the character U+200B at position 6;'],
    ['𐎠\u0007', 'has the character U+0007 at position 2;'],
    ['a\u0000b', 'must not have the character U+0000 at position 2:'],
    ['a\ud800', 'must not have the character U+D800 at position 2:'],
    ['a\u00a0b', 'has the character U+00A0 at position 2;'],
    [' FEEDER_7', 'has a space at an end;'],
    ['FEEDER_7 ', 'has a space at an end;'],
    ['x'.repeat(65), 'has 65 characters;'],
    ['x'.repeat(513), 'must have at most 512 characters; this one has 513.'],
  ])('H5: names what is wrong with a feeder that nobody knows: %j', async (feederId, problem) => {
    const { status, body } = await pilot.event('theft', { feederId });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.error).toContain(`feederId ${problem}`);
    expect(body.details.map(({ path }: { path: string }) => path)).toEqual(['feederId']);
    expect(await pilot.count('ami_events')).toBe(0);
  });
});
