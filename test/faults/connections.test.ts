import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StartupError } from '../../src/contracts/errors.js';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { openConnections, QUEUE_NAMES } from '../../src/queues/queueConnections.js';
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.js';
import { startProcess } from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';

const silent = createLogger('test', 'silent');

/** What becomes of connections that Postgres does not let in for a while, as on a loaded machine. */
describe('first connections to Postgres', () => {
  let own: OwnPostgres;
  let postmaster: number;
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  beforeAll(async () => {
    own = await startOwnPostgres();
    await prepareStorage(own.url, true, silent);
    const [row] = await sql('SHOW data_directory');
    const lines = (await readFile(`${row.data_directory}/postmaster.pid`, 'utf8')).split('\n');
    postmaster = Number(lines[0]);
  });
  afterAll(() => own.remove());

  /** The postmaster alone: connections that are there go on, new ones are not let in. */
  const whileFrozen = async <T>(work: () => Promise<T>): Promise<T> => {
    process.kill(postmaster, 'SIGSTOP');
    try {
      return await work();
    } finally {
      process.kill(postmaster, 'SIGCONT');
    }
  };

  it('BullMQ gets its own, however long that takes, and does its jobs then', async () => {
    const trouble: string[] = [];
    const connections = await openConnections({
      redisUrl: undefined,
      databaseUrl: own.url,
      prefix: '',
      onError: () => undefined,
      onBroken: (error) => trouble.push(error.message),
    });
    const done: string[] = [];
    const { queue, workers } = await whileFrozen(async () => {
      const opened = {
        queue: connections.queue(QUEUE_NAMES.ticks),
        workers: [1, 2, 3].map(() =>
          connections.worker(QUEUE_NAMES.ticks, async ({ name }) => done.push(name), {
            runRetryDelay: 1_000,
          }),
        ),
      };
      for (const one of [opened.queue, ...opened.workers]) one.on('error', () => undefined);
      // More than two connect timeouts of a second.
      await sleep(2_500);
      return opened;
    });
    await connections.ready();
    for (const name of ['first', 'second', 'third']) await queue.add(name, {}, { removeOnComplete: true });
    await waitFor('the jobs', async () => done.length === 3);
    expect(done.sort()).toEqual(['first', 'second', 'third']);
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.close();
    await connections.close();
    expect(trouble).toEqual([]);
  });

  it('a worker that is closed before it got one ends all the same', async () => {
    const connections = await openConnections({
      redisUrl: undefined,
      databaseUrl: own.url,
      prefix: '',
      onError: () => undefined,
    });
    await whileFrozen(async () => {
      const workers = [1, 2, 3].map(() => connections.worker(QUEUE_NAMES.ticks, async () => undefined, {}));
      for (const worker of workers) worker.on('error', () => undefined);
      await sleep(1_500);
      await Promise.all(workers.map((worker) => worker.close()));
      await connections.close();
    });
  });

  it('start-up tries again, for some seconds', async () => {
    const prepared = prepareStorage.bind(undefined, own.url, true, silent);
    const inTime = await whileFrozen(async () => {
      const preparing = prepared();
      await sleep(2_500);
      return { preparing };
    });
    await inTime.preparing;
    const refused = await whileFrozen(() => prepared().catch((error: unknown) => error));
    expect(refused).toBeInstanceOf(StartupError);
    expect((refused as Error).message).toMatch(
      /^Postgres at 127\.0\.0\.1:\d+\/\w+ cannot be used \(Connection terminated due to connection timeout\): start it, or correct DATABASE_URL/,
    );
  });

  it('a worker process whose queue is broken for good ends, for its supervisor to start another', async () => {
    // The look at the schema that BullMQ begins with fails from the fifth: after the start's own and three queues'.
    await sql(`
      ALTER TABLE bullmq.migration RENAME TO migration_real;
      CREATE SEQUENCE bullmq.looks;
      CREATE FUNCTION bullmq.look() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('bullmq.looks') > 4 THEN RAISE EXCEPTION 'no more looks'; END IF;
        RETURN true; END $$;
      CREATE VIEW bullmq.migration AS SELECT * FROM bullmq.migration_real WHERE (SELECT bullmq.look())`);
    try {
      const worker = startProcess('worker', { DATABASE_URL: own.url });
      expect(await worker.exited).toEqual({ code: 1, signal: null });
      expect(worker.logLines()).toContainEqual(
        expect.objectContaining({
          msg: 'queue broken',
          reason: expect.stringMatching(
            /^the worker of queue gridlens-ami\S* takes no more jobs: no more looks/,
          ),
        }),
      );
      expect(worker.output().split('\n').length).toBeLessThan(50);
    } finally {
      await sql('DROP VIEW bullmq.migration; ALTER TABLE bullmq.migration_real RENAME TO migration');
    }
  });
});
