import { describe, expect, it } from 'vitest';
import { type DatabasePlace, queueIdentity } from '../../src/db/deploymentIdentity.js';

const OWN: DatabasePlace = { server: '7412345678901234567', database: '16384', schema: 'public' };

describe('the names of a deployment’s queue', () => {
  it('are the same for all that reach the same database, and short', () => {
    expect(queueIdentity({ ...OWN }, { ...OWN })).toEqual(queueIdentity(OWN, OWN));
    expect(queueIdentity(OWN, OWN)).toEqual({
      redisPrefix: expect.stringMatching(/^\{gridlens:[0-9a-f]{12}\}$/),
      schema: 'bullmq',
    });
  });

  it.each([
    ['another server', { ...OWN, server: '7499999999999999999' }],
    ['another database', { ...OWN, database: '16385' }],
    ['another schema', { ...OWN, schema: 'utility_b' }],
  ])('are others in %s', (_, other) => {
    expect(queueIdentity(other, other).redisPrefix).not.toBe(queueIdentity(OWN, OWN).redisPrefix);
  });

  it('say in one database which schema they belong to', () => {
    const place = { ...OWN, schema: 'utility_b' };
    expect(queueIdentity(place, place).schema).toBe('bullmq_utility_b');
  });

  it('fit into what Postgres takes, and differ where the ends of long names do', () => {
    const long = (end: string) => ({ ...OWN, schema: `${'ü'.repeat(30)}${end}` });
    const [a, b] = [queueIdentity(long('a'), long('a')).schema, queueIdentity(long('b'), long('b')).schema];
    expect(Buffer.byteLength(a)).toBeLessThanOrEqual(63);
    expect(a).not.toBe(b);
  });

  it('differ for two databases whose queues are in a third', () => {
    const third = { ...OWN, database: '20000' };
    const [a, b] = [queueIdentity(OWN, third), queueIdentity({ ...OWN, database: '16385' }, third)];
    expect(a.schema).not.toBe(b.schema);
  });

  it('differ for copies of a server that are told apart by name', () => {
    const [a, b] = [queueIdentity(OWN, OWN, 'staging'), queueIdentity(OWN, OWN)];
    expect(a.redisPrefix).not.toBe(b.redisPrefix);
    expect(a.schema).not.toBe(b.schema);
  });
});
