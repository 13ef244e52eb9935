import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfig } from '../../src/process/config.js';

const database = 'postgres://gridlens:hunter2secret@db.example.com/grid';
const key = '0123456789abcdef0123456789abcdef';
const load = (env: Record<string, string>, command: LoadOptions['command'] = 'api') =>
  loadConfig(env, { command, cwd: '/nonexistent' });

describe('loadConfig', () => {
  it('has the documented defaults', () => {
    const config = load({ DATABASE_URL: database, GRIDLENS_API_KEY: key });
    expect(config).toMatchObject({
      port: 5000,
      host: '127.0.0.1',
      redisUrl: undefined,
      workerConcurrency: 8,
      maxReadsPerSecond: 2500,
      readsRetentionDays: undefined,
      ledgerRetentionDays: 35,
      logLevel: 'info',
      corsOrigins: ['https://app.gridlensenergy.com'],
      embedded: false,
      corsAllowLocalhost: false,
    });
  });

  it('H2: trusts no proxy unless told how many there are, and says so in one sentence where that is no number', () => {
    const given = { DATABASE_URL: database, GRIDLENS_API_KEY: key };
    expect(load(given)).toMatchObject({ trustedProxyHops: 0, readsPerAddress: 200, stopGraceSeconds: 1 });
    expect(() => load({ ...given, TRUSTED_PROXY_HOPS: 'all' })).toThrow(
      'TRUSTED_PROXY_HOPS must be a whole number between 0 and 10 (example: TRUSTED_PROXY_HOPS=1).',
    );
  });

  it.each(['https://gridlens.example', 'gridlens:5000', 'a,,b', '*'])(
    'takes no %s for a list of host names',
    (given) => {
      expect(() => load({ DATABASE_URL: database, GRIDLENS_API_KEY: key, ALLOWED_HOSTS: given })).toThrow(
        'ALLOWED_HOSTS must be host names without port, comma-separated (example: ALLOWED_HOSTS=gridlens.example.com,gridlens).',
      );
    },
  );

  it('takes blank variables for unset ones', () => {
    expect(load({ DATABASE_URL: database, GRIDLENS_API_KEY: key, REDIS_URL: ' ', PORT: '' }).port).toBe(5000);
  });

  it('takes a copy of .env.example as it stands for the local stack', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gridlens-env-'));
    await copyFile(new URL('../../.env.example', import.meta.url), join(folder, '.env'));
    const config = loadConfig({}, { command: 'start', cwd: folder });
    await rm(folder, { recursive: true });
    expect(config).toMatchObject({ embedded: true, readKeys: [], port: 5000 });
  });

  it('reports all bad variables together, each with reason and example, and no secret', () => {
    const env = {
      DATABASE_URL: 'mysql://root:hunter2secret@db/grid',
      GRIDLENS_API_KEY: 'short',
      PORT: '0x50',
      WORKER_CONCURRENCY: '11',
      MAX_READS_PER_SECOND: '2501',
      CORS_ORIGINS: 'https://a.example.com/',
      LOG_LEVEL: 'loud',
    };
    const message = messageOf(() => load(env));
    expect(message.split('\n')).toHaveLength(7);
    for (const name of Object.keys(env)) expect(message).toContain(`${name} `);
    expect(message).toContain('may only be lowered');
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain('short ');
  });

  it.each(['1', '0', '-5', '2500.5', '1e3', 'abc'])('MAX_READS_PER_SECOND=%s', (value) => {
    const env = { DATABASE_URL: database, GRIDLENS_API_KEY: key, MAX_READS_PER_SECOND: value };
    if (value === '1') expect(load(env).maxReadsPerSecond).toBe(1);
    else expect(messageOf(() => load(env))).toContain('MAX_READS_PER_SECOND');
  });

  it.each(['7', '6', '0', '35.5', '36501'])('LEDGER_RETENTION_DAYS=%s', (value) => {
    const env = { DATABASE_URL: database, GRIDLENS_API_KEY: key, LEDGER_RETENTION_DAYS: value };
    if (value === '7') expect(load(env).ledgerRetentionDays).toBe(7);
    else
      expect(messageOf(() => load(env))).toContain('LEDGER_RETENTION_DAYS must be a whole number between 7');
  });

  it.each([
    ['no key', {}, 'GRIDLENS_API_KEY is not set'],
    ['a blank key', { GRIDLENS_API_KEY: '  ' }, 'GRIDLENS_API_KEY is blank'],
    ['the example’s key', { GRIDLENS_API_KEY: 'replace-with-a-long-random-key' }, "still the example's"],
    ['a key with a space', { GRIDLENS_API_KEY: '0123456789 abcdefgh' }, 'without spaces'],
  ])('refuses %s', (_name, env, expected) => {
    expect(messageOf(() => load({ DATABASE_URL: database, ...env }))).toContain(expected);
    expect(messageOf(() => load({ DATABASE_URL: database, ...env }, 'start'))).toContain(expected);
  });

  it('needs no variable at all for npm start, and a database for the single processes', () => {
    expect(load({}, 'start')).toMatchObject({
      embedded: true,
      corsAllowLocalhost: true,
      databaseUrl: undefined,
    });
    expect(messageOf(() => load({ GRIDLENS_API_KEY: key }, 'worker'))).toContain('DATABASE_URL is not set');
    expect(() => load({ DATABASE_URL: database }, 'worker')).not.toThrow();
  });

  it('takes a concurrency of 5 to 10, or adaptive', () => {
    const env = { DATABASE_URL: database, GRIDLENS_API_KEY: key };
    expect(load({ ...env, WORKER_CONCURRENCY: 'adaptive' }).workerConcurrency).toBe('adaptive');
    expect(load({ ...env, WORKER_CONCURRENCY: '5' }).workerConcurrency).toBe(5);
    expect(messageOf(() => load({ ...env, WORKER_CONCURRENCY: '4' }))).toContain(
      'between 5 and 10, or adaptive',
    );
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}
