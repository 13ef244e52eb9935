import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { settleImports } from '../../src/imports/openImports.js';
import { createImportSupplier } from '../../src/imports/supplier.js';
import { pruneLedger } from '../../src/ledger/pruning.js';
import { createAdmission } from '../../src/publishing/admission.js';
import { STRETCHED_BUDGET } from '../support/answerBudget.js';
import { describeOnBothBackends } from '../support/backends.js';
import { programArguments } from '../support/compiledSources.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { startProcess } from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';
import { csvOf, type ImportTools, importTools, NOW, PLAIN, TENANT } from './importTools.js';

/** Reads of `meters` meters, `intervals` quarter hours each, newest last. */
const large = (meters: number, intervals: number): string =>
  csvOf(
    Array.from({ length: meters * intervals }, (_, index) => {
      const at = new Date(Date.UTC(2026, 9, 1) + Math.floor(index / meters) * 900_000);
      return [`M${index % meters}`, at.toISOString().slice(0, 19), `0.${(index % 89) + 10}`];
    }),
  );

describeOnBothBackends('an import through faults', (backend) => {
  let deployment: Deployment;
  let tools: ImportTools;
  let folder: string;
  beforeAll(async () => {
    deployment = await createDeployment(backend, {}, () => NOW);
    tools = importTools(() => deployment.context);
    folder = await mkdtemp(join(tmpdir(), 'gridlens-import-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await deployment.close();
  });
  const file = async (text: string): Promise<string> => {
    const path = join(folder, 'reads.csv');
    await writeFile(path, text);
    return path;
  };
  const supplier = () => {
    const { database, queue, config } = deployment.context;
    const { maxReadsPerSecond } = config;
    const onEnqueueFailed = (error: Error): never => {
      throw error;
    };
    return createImportSupplier({
      database,
      admission: createAdmission({ database, queue, maxReadsPerSecond, onEnqueueFailed }),
      now: () => NOW,
    });
  };

  it('keeps no more than 40 batches waiting, and takes them back when it is cancelled', async () => {
    const { importId = 0 } = await tools.take(await file(large(50, 500)), PLAIN);
    // On a slow machine a pass may end before there is no more room.
    let accepted = 0;
    for (let more = 1; more > 0; accepted += more) more = await supplier().supply();
    expect(accepted).toBe(5);
    const pending = `SELECT FROM ami_publish_batches WHERE state = 'pending'`;
    expect(await tools.sql(pending)).toHaveLength(40);
    const answer = await deployment.http.get(`/api/ami/imports/${importId}`);
    expect(answer.body).toMatchObject({ state: 'queued', reads: 25_000, batches: { done: 0, total: 50 } });
    const cancelled = await deployment.post(`/api/ami/imports/${importId}/cancel`, {});
    expect(cancelled.body).toMatchObject({ state: 'cancelled', batches: { done: 0, cancelled: 50 } });
    expect(await tools.sql(pending)).toHaveLength(0);
    expect(await tools.sql('SELECT FROM ami_import_values')).toHaveLength(0);
    expect(await tools.reads()).toEqual([]);
    expect(await supplier().supply()).toBe(0);
    const listed = await deployment.http.get(`/api/ami/imports?tenantId=${TENANT}`);
    expect(listed.body.imports).toMatchObject([{ importId, state: 'cancelled' }]);
    expect((await deployment.post('/api/ami/imports/999999/cancel', {})).status).toBe(404);
    expect((await deployment.http.get('/api/ami/imports/x')).status).toBe(400);
  });

  it('an importer that is killed while it reads leaves nothing, and its import is failed', async () => {
    await tools.forget();
    const path = await file(large(100, 20_000));
    const mapping = join(folder, 'mapping.yaml');
    await writeFile(
      mapping,
      Object.entries(PLAIN.given)
        .map(([field, value]) => `${field}: ${JSON.stringify(value)}`)
        .join('\n'),
    );
    const args = [path, '--tenant', TENANT, '--mapping', mapping, '--register', '--feeder', 'F1'];
    const importer = spawn(process.execPath, [...programArguments('commands/import'), ...args], {
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: deployment.database.url, ...STRETCHED_BUDGET },
      stdio: 'ignore',
    });
    await waitFor('the file to be read', async () => {
      const [found] = await tools.sql(`SELECT FROM ami_imports WHERE state = 'reading'`);
      return found !== undefined;
    });
    importer.kill('SIGKILL');
    await once(importer, 'close');
    await tools.sql(`UPDATE ami_imports SET accepted_at = accepted_at - interval '1 minute'`);
    // Until Postgres has seen that the importer is gone its lock is held.
    const [failed] = await waitFor('the import to be failed', async () => {
      await settleImports(deployment.context.database);
      const { imports } = await tools.service().list(TENANT);
      return imports[0]?.state === 'failed' && imports;
    });
    expect(failed).toMatchObject({ reads: 0, failure: expect.stringContaining('nothing of it was taken') });
    for (const table of ['ami_import_values', 'meters', 'meter_reads_electric'])
      expect(await tools.sql(`SELECT FROM ${table}`), table).toHaveLength(0);
  });

  it('a worker that is killed in the middle loses nothing and writes nothing twice', async () => {
    await tools.forget();
    await tools.sql('TRUNCATE ami_publishes CASCADE');
    const { importId = 0 } = await tools.take(await file(large(50, 200)), PLAIN);
    const redisUrl = backend === 'redis' ? { REDIS_URL: inject('redisUrl') as string } : {};
    const env = { DATABASE_URL: deployment.database.url, ...redisUrl };
    const done = async () => (await tools.service().find(importId))?.batches.done ?? 0;
    for (const enough of [1, 5]) {
      const worker = startProcess('worker', env);
      await waitFor(`${enough} batches`, async () => (await done()) >= enough);
      await worker.kill('SIGKILL');
    }
    const worker = startProcess('worker', env);
    const ended = await tools.finished(importId);
    await worker.kill('SIGTERM');
    expect(ended).toMatchObject({ state: 'done', rows: { inserted: 10_000, replaced: 0, unchanged: 0 } });
    const [sums] = await tools.sql(
      'SELECT count(*)::integer AS reads, sum(kwh) AS kwh FROM meter_reads_electric',
    );
    const [days] = await tools.sql(
      'SELECT sum(reads)::integer AS reads, sum(kwh) AS kwh FROM ami_feeder_days',
    );
    expect(sums?.reads).toBe(10_000);
    expect(days).toEqual(sums);
    expect(await tools.sql('SELECT FROM ami_import_values')).toHaveLength(0);
    // The ledger may forget its publishes now, and the import keeps its counts.
    await tools.sql(`UPDATE ami_publishes SET accepted_at = accepted_at - interval '100 days'`);
    await pruneLedger(deployment.context.database, 35, NOW, performance.now() + 10_000);
    expect(await tools.service().find(importId)).toMatchObject({ state: 'done', rows: { inserted: 10_000 } });
  });

  it('the same file at once from two sides is one import', async () => {
    await tools.forget();
    const path = await file(large(2, 10));
    const first = await tools.take(path, PLAIN);
    const second = await tools.take(path, PLAIN);
    expect(second).toMatchObject({ importId: first.importId, existing: true });
    expect(await tools.sql('SELECT FROM ami_imports')).toHaveLength(1);
  });

  it('refuses reads that are older than reads are kept', async () => {
    const taken = await tools.take(await file(large(1, 3)), {
      ...PLAIN,
      readsRetentionDays: 30,
      dryRun: true,
    });
    expect(taken).toMatchObject({ reads: 0, report: { refused: 3 } });
    expect(taken.report?.refusals[0]?.reason).toContain('READS_RETENTION_DAYS');
  });
});
