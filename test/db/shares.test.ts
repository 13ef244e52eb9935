import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database, withTransaction } from '../../src/db/db.js';
import { type Asker, askAs, NobodyWaitsError, withShares } from '../../src/db/shares.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** As an API process has them: two at most for readers and for key holders, three for both, one for itself. */
const CONNECTIONS = 4;
const READER: Asker = { share: 'readers' };
const KEY_HOLDER: Asker = { share: 'keyHolders' };

describe('the shares of a pool', () => {
  let test: TestDatabase;
  let pool: Database;
  let shared: Database;
  beforeAll(async () => {
    test = await createTestDatabase('empty');
    pool = createDatabase({
      connectionString: test.url,
      applicationName: 'shares',
      maxConnections: CONNECTIONS,
      queryTimeoutMs: 30_000,
      connectionWaitMs: 30_000,
      onIdleError: () => undefined,
    });
    shared = withShares(pool);
  });
  afterAll(async () => {
    await pool.end();
    await test.drop();
  });

  /** Holds as many transactions open, each on a connection of its own; `end` commits them. */
  const hold = async (who: Asker, count: number) => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const begun: Promise<void>[] = [];
    const over = Array.from({ length: count }, () => {
      let isOpen = (): void => undefined;
      begun.push(
        new Promise<void>((resolve) => {
          isOpen = resolve;
        }),
      );
      return askAs(who, () =>
        withTransaction(shared, async (client) => {
          await client.query('SELECT 1');
          isOpen();
          await held;
        }),
      );
    });
    await Promise.all(begun);
    return async (): Promise<void> => {
      letGo();
      await Promise.all(over);
    };
  };
  const one = (who: Asker): Promise<unknown> => askAs(who, () => shared.query('SELECT 1'));
  /** Whether a statement is still waiting, after the time that many like it take. */
  const waits = async (asked: Promise<unknown>): Promise<boolean> => {
    const outcome = await Promise.race([asked.then(() => 'answered'), sleep(200, 'waiting')]);
    return outcome === 'waiting';
  };

  it('lets a key holder and the process itself ask while readers have all of theirs', async () => {
    const end = await hold(READER, 2);
    const third = one(READER);
    await one(KEY_HOLDER);
    await shared.query('SELECT 1');
    expect(await waits(third)).toBe(true);
    await end();
    await third;
  });

  it('lets a reader and the process itself ask while key holders have all of theirs', async () => {
    const end = await hold(KEY_HOLDER, 2);
    const third = one(KEY_HOLDER);
    await one(READER);
    await shared.query('SELECT 1');
    expect(await waits(third)).toBe(true);
    await end();
    await third;
  });

  it('lets the process itself ask while readers and key holders have all of theirs', async () => {
    const ends = [await hold(KEY_HOLDER, 2), await hold(READER, 1)];
    const reader = one(READER);
    await shared.query('SELECT 1');
    expect(await waits(reader)).toBe(true);
    await Promise.all(ends.map((end) => end()));
    await reader;
  });

  it('never makes a statement for which nobody waits any more, and gives its place to the next', async () => {
    const end = await hold(READER, 2);
    const gone = new AbortController();
    await pool.query('CREATE TABLE made (n integer)');
    const dropped = askAs({ ...READER, gone: gone.signal }, () =>
      shared.query('INSERT INTO made VALUES (1)'),
    );
    const next = one(READER);
    gone.abort();
    await expect(dropped).rejects.toBeInstanceOf(NobodyWaitsError);
    await end();
    await next;
    expect((await pool.query('SELECT count(*)::integer AS n FROM made')).rows).toEqual([{ n: 0 }]);
    const late = askAs({ ...READER, gone: gone.signal }, () => shared.query('SELECT 1'));
    await expect(late).rejects.toBeInstanceOf(NobodyWaitsError);
  });

  it('gives a place back when a statement or a connection fails', async () => {
    for (const share of ['readers', 'keyHolders'] as const)
      for (let time = 0; time < CONNECTIONS; time += 1) {
        await expect(askAs({ share }, () => shared.query('SELECT 1 / 0'))).rejects.toThrow(
          'division by zero',
        );
        const failing = askAs({ share }, () =>
          withTransaction(shared, async (client) => client.query('SELECT nothing')),
        );
        await expect(failing).rejects.toThrow('nothing');
      }
    await Promise.all([one(READER), one(READER), one(KEY_HOLDER)]);
  });
});
