import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programArguments } from '../support/compiledSources.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('--json of a command that reports', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** What it writes to stdout must be one document, whatever it is. */
  const answerOf = (command: string, args: string[]) =>
    new Promise<unknown>((resolve, reject) => {
      const options = { cwd: ROOT, env: { PATH: process.env.PATH ?? '', DATABASE_URL: database.url } };
      const program = [...programArguments(`commands/${command}`), ...args, '--json'];
      execFile(process.execPath, program, options, (error, stdout) => {
        if (error) reject(error);
        else resolve(JSON.parse(stdout));
      });
    });

  it('is the plan of npm run migrate', async () => {
    expect(await answerOf('migrate', ['--plan'])).toMatchObject({
      database: new URL(database.url).pathname.slice(1),
      onCustomerTables: [],
      mapping: { reads: { own: true } },
    });
  });

  it('is the counts of npm run fleet', async () => {
    const args = ['synthesize', '--tenant', 'T', '--meters', '30', '--feeders', '10'];
    expect(await answerOf('fleet', args)).toMatchObject({ tenantId: 'T', meters: { added: 30 } });
    expect(await answerOf('fleet', args)).toMatchObject({ meters: { added: 0, unchanged: 30 } });
  });

  it('is the score of npm run score', async () => {
    await database.pool.query(
      `SELECT ami_ensure_read_partition(day::date) FROM unnest(ARRAY['2026-01-30', '2026-01-31']) AS day`,
    );
    await database.pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh)
       VALUES ('T', 'M', 'F', '2026-01-31T00:00:00Z', 0.2, 0.2)`,
    );
    expect(await answerOf('score', ['--tenant', 'T'])).toMatchObject({
      tenantId: 'T',
      injected: 0,
      recall: null,
    });
  });

  it('is what npm run backfill has cancelled', async () => {
    expect(await answerOf('backfill', ['--tenant', 'T', '--cancel'])).toEqual({
      tenantId: 'T',
      cancelled: [],
    });
  });
});
