import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database, isTransient, withTransaction } from '../../src/db/db.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

describe('withTransaction', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await createTestDatabase('empty');
    database = createDatabase({
      connectionString: test.url,
      applicationName: 'test',
      maxConnections: 1,
      queryTimeoutMs: 5_000,
      onIdleError: () => undefined,
    });
    await database.query('CREATE TABLE kept (id int)');
  });
  afterAll(async () => {
    await database.end();
    await test.drop();
  });

  it('survives a connection that is cut between two statements, and gives the next caller a sound one', async () => {
    const cut = withTransaction(database, async (client) => {
      await client.query('INSERT INTO kept VALUES (1)');
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      await test.pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await client.query('INSERT INTO kept VALUES (2)');
    });
    await expect(cut).rejects.toSatisfy(isTransient);
    expect((await database.query('SELECT * FROM kept')).rowCount).toBe(0);
  });

  it('rolls back what fails, and keeps the connection', async () => {
    const failed = withTransaction(database, async (client) => {
      await client.query('INSERT INTO kept VALUES (1)');
      await client.query('SELECT 1 / 0');
    });
    await expect(failed).rejects.toThrow('division by zero');
    expect((await database.query('SELECT * FROM kept')).rowCount).toBe(0);
    expect(database.totalCount).toBe(1);
  });
});

describe('createDatabase', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await createTestDatabase('empty');
  });
  afterAll(() => test.drop());

  it('reads dates as ISO writes them, and keeps what the URL sets beside what is asked for', async () => {
    const { rows } = await test.pool.query('SELECT current_database() AS name');
    await test.pool.query(`ALTER DATABASE ${rows[0].name} SET DateStyle = 'German, DMY'`);
    await test.pool.query('CREATE SCHEMA theirs');
    const url = new URL(test.url);
    url.searchParams.set('options', '-c search_path=theirs -c statement_timeout=12345');
    const look = async (options?: string): Promise<unknown> => {
      const database = createDatabase({
        connectionString: url.href,
        applicationName: 'test',
        maxConnections: 1,
        queryTimeoutMs: 5_000,
        onIdleError: () => undefined,
        ...(options === undefined ? {} : { options }),
      });
      const { rows: found } = await database.query(
        `SELECT '2026-01-31'::date::text AS day, '2026-01-31 10:15Z'::timestamptz AS at, current_schema() AS schema,
           current_setting('statement_timeout') AS timeout`,
      );
      await database.end();
      return found[0];
    };
    const at = new Date('2026-01-31T10:15:00Z');
    expect(await look()).toEqual({ day: '2026-01-31', at, schema: 'theirs', timeout: '12345ms' });
    // The queue's own search_path comes after the URL's.
    expect(await look('-c search_path=public')).toMatchObject({ schema: 'public', timeout: '12345ms' });
  });
});

describe('isTransient', () => {
  const fromPostgres = (code: string) => Object.assign(new pg.DatabaseError('x', 1, 'error'), { code });
  const fromNode = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });

  it.each([
    ['a password being changed', fromPostgres('28P01'), true],
    ['a server shutting down', fromPostgres('57P01'), true],
    [
      'a database that lets nobody in',
      Object.assign(fromPostgres('55000'), { routine: 'CheckMyDatabase' }),
      true,
    ],
    ['an object that is not ready', Object.assign(fromPostgres('55000'), { routine: 'currval_oid' }), false],
    ['a deadlock', fromPostgres('40P01'), true],
    ['a pooler without the statement', fromPostgres('26000'), true],
    ['an unreachable network', fromNode('ENETUNREACH', 'connect'), true],
    ['a TLS failure', fromNode('CERT_HAS_EXPIRED'), true],
    ['several addresses refused', new AggregateError([fromNode('ECONNREFUSED', 'connect')]), true],
    ['a pool that waited in vain', new Error('timeout exceeded when trying to connect'), true],
    ['a connection that ended', new Error('Connection terminated unexpectedly'), true],
    ['a check that failed', fromPostgres('23514'), false],
    ['a number out of range', fromPostgres('22003'), false],
    ['a fault of ours', new TypeError('undefined is not a connection'), false],
  ])('%s: %s', (_name, error, expected) => {
    expect(isTransient(error)).toBe(expected);
  });
});
