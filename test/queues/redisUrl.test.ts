import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/process/config.js';
import { parseRedisUrl, redisUrlProblem, shownRedisUrl } from '../../src/queues/redis/redisUrl.js';

describe('REDIS_URL', () => {
  it.each([
    ['redis://h', { kind: 'server', hosts: [{ host: 'h', port: 6379 }], tls: false, db: 0 }],
    ['rediss://u:p%40%2F@h:6380/3', { tls: true, username: 'u', password: 'p@/', db: 3 }],
    ['redis://:secret@[::1]:7000', { password: 'secret', hosts: [{ host: '::1', port: 7000 }] }],
    ['redis://:a@b@h', { password: 'a@b', hosts: [{ host: 'h', port: 6379 }] }],
    ['redis://h/?db=2', { db: 2 }],
    [
      'redis://h1:7000,h2',
      {
        kind: 'cluster',
        hosts: [
          { host: 'h1', port: 7000 },
          { host: 'h2', port: 6379 },
        ],
      },
    ],
    [
      'rediss+sentinel://u:p@s1,s2:26380/mymaster/2?sentinel_username=w&sentinel_password=x%3D',
      {
        kind: 'sentinel',
        hosts: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26380 },
        ],
        primaryName: 'mymaster',
        ...{ db: 2, tls: true, username: 'u', password: 'p', sentinelUsername: 'w', sentinelPassword: 'x=' },
      },
    ],
  ])('%s is read', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['Q6: a database that is no number', 'redis://:hunter2@h/main', /number of a database/],
    ['Q6: a database of a cluster', 'redis://h1,h2/1', /no database other than 0/],
    ['Q6: a parameter that would be ignored', 'redis://h/0?prefix=x', /no parameters but db/],
    ['Q7: a raw # in the password', 'redis://:hunter2#x@h', /percent-encoded/],
    ['Q7: a raw / in the password', 'redis://:hunter2/x@h', /percent-encoded/],
    ['Q7: a raw ? in the password', 'redis://:hunter2?x@h', /percent-encoded/],
    ['Q7: a raw % in the password', 'redis://:hunter2%x@h', /percent-encoded/],
    ['Q4: Sentinels without the name of a primary', 'redis+sentinel://h:26379', /name the primary/],
    ['no host', 'redis://', /with a host/],
    ['no scheme of Redis', 'http://h', /^must be redis:/],
    ['a port that is none', 'redis://h:66000', /with a host/],
  ])('%s is refused in one sentence without the value', (_name, url, sentence) => {
    expect(redisUrlProblem(url)).toMatch(sentence);
    const env = { DATABASE_URL: 'postgres://h/x', GRIDLENS_API_KEY: 'k'.repeat(16), REDIS_URL: url };
    expect(() => loadConfig(env, { command: 'api', cwd: '/nonexistent' })).toThrow(/^REDIS_URL must [^\n]*$/);
    expect(redisUrlProblem(url)).not.toContain('hunter2');
  });

  it.each([
    ['redis://u:hunter2@h:6380/3', 'redis://h:6380/3'],
    ['rediss://:hunter2@h1,h2:7001', 'rediss://h1:6379,h2:7001'],
    [
      'redis+sentinel://u:hunter2@s1,s2:26380/mymaster/1?sentinel_password=hunter2',
      'redis+sentinel://s1:26379,s2:26380/mymaster/1',
    ],
  ])('Q4: %s is shown without its secrets', (url, shown) => {
    expect(shownRedisUrl(url)).toBe(shown);
  });
});
