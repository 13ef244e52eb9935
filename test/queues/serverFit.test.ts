import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../src/queues/redis/redisUrl.js';
import { parseInfo, unfitness } from '../../src/queues/redis/serverFit.js';

const info = (...lines: string[]) => parseInfo(['# Server', ...lines, ''].join('\r\n'));
const whyNot = (url: string, ...lines: string[]) => unfitness(info(...lines), parseRedisUrl(url));

describe('what a Redis server says of itself', () => {
  it.each([
    ['Q4: a Sentinel', 'redis://h', ['redis_mode:sentinel', 'redis_version:7.0.15'], /is a Sentinel/],
    [
      'Q4: a replica',
      'redis://h',
      ['redis_version:7.0.15', 'role:slave', 'master_host:other', 'master_port:6379'],
      /is a replica of other:6379/,
    ],
    ['Q3: no node of a cluster', 'redis://h1,h2', ['redis_version:7.0.15'], /is no node of a cluster/],
    [
      'Q6: a database number of a cluster',
      'redis://h/1',
      ['redis_version:7.0.15', 'redis_mode:cluster'],
      /has no database 1/,
    ],
    ['a version that BullMQ does not know', 'redis://h', ['redis_version:6.0.20'], /needs 6\.2 or newer/],
  ])('%s is refused', (_name, url, lines, sentence) => {
    expect(whyNot(url, ...lines)).toMatch(sentence);
  });

  it('Q3: a cluster is taken from the address of one node, replicas included', () => {
    const replica = ['redis_version:7.0.15', 'redis_mode:cluster', 'role:slave', 'master_host:other'];
    expect(whyNot('redis://h', ...replica)).toBeUndefined();
    expect(info(...replica).mode).toBe('cluster');
  });

  it('Q3: a server that says only cluster_enabled is taken as a cluster', () => {
    expect(info('redis_version:7.4.0', 'cluster_enabled:1').mode).toBe('cluster');
  });

  it('Q7: BullMQ is told the version, and nothing that it would comment on the console', () => {
    const server = info('redis_version:7.0.15', 'maxmemory_policy:allkeys-lru', 'os:Linux');
    expect(server.versionInfo).toBe('redis_version:7.0.15');
    expect(server.evictionPolicy).toBe('allkeys-lru');
  });
});
