import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveDue } from '../../src/process/archiving.js';
import { runUpkeep } from '../../src/upkeep/upkeep.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const DAY = '2026-03-01';
const NOW = new Date('2026-03-10T12:00:00Z');

describe('a worker with ARCHIVE_DIR', () => {
  const root = mkdtempSync(join(tmpdir(), 'gridlens-archiving-'));
  const folder = join(root, 'archive');
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', { READS_RETENTION_DAYS: '7', ARCHIVE_DIR: folder });
    await deployment.database.pool.query('SELECT ami_ensure_read_partition($1::date)', [DAY]);
    await deployment.database.pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, voltage)
       SELECT 'T', 'M-' || n, 'F1', $1::date + interval '12 hours', 0.25, 120 FROM generate_series(1, 10) AS n`,
      [DAY],
    );
  });
  afterAll(async () => {
    await deployment.close();
    rmSync(root, { recursive: true });
  });

  const reads = async (): Promise<number> =>
    Number((await deployment.database.pool.query('SELECT count(*) FROM meter_reads_electric')).rows[0].count);
  const status = async () =>
    (await deployment.http.get('/api/ami/status').query({ tenantId: 'T' })).body.archive;

  /** The page is a few seconds old. */
  const shows = (line: string): Promise<true> =>
    waitFor(
      line,
      async () => (await deployment.http.get('/metrics')).text.includes(`${line}\n`) || undefined,
    );

  it('keeps a day that it cannot archive, by the upkeep as well, and says so in status, metrics and log', async () => {
    writeFileSync(folder, 'no folder');
    await archiveDue(deployment.context, NOW);
    const { database, queue } = deployment.context;
    await runUpkeep({
      ...{
        database,
        queue,
        readsRetentionDays: 7,
        isArchived: true,
        ledgerRetentionDays: 35,
        now: () => NOW,
      },
    });
    expect(await reads()).toBe(10);
    expect(await status()).toMatchObject({
      days: 0,
      failing: { day: DAY, failure: expect.stringContaining('archive') },
    });
    expect(deployment.logLines).toContainEqual(
      expect.objectContaining({
        msg: 'a day of reads could not be archived: it is kept, and tried again',
        day: DAY,
      }),
    );
    await shows('gridlens_archive_failures 1');
    rmSync(folder);
  });

  it('archives it when it can, in a thread of its own', async () => {
    await archiveDue(deployment.context, NOW);
    expect(existsSync(join(folder, `day=${DAY}`, 'manifest.json'))).toBe(true);
    expect(await reads()).toBe(0);
    expect(await status()).toEqual({ days: 1, reads: 10, failing: null });
    await shows('gridlens_archived_partitions 1');
  });
});
