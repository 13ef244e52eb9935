import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { saveMapping } from '../../src/imports/mappings.js';
import { settleImports } from '../../src/imports/openImports.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { type ProductProcess, startApiProcess } from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';
import { csvOf, type ImportTools, importTools, NOW, PLAIN, TENANT } from './importTools.js';

const MINUTE_MS = 60_000;

describe('an API that is killed while a file is sent to it', () => {
  let deployment: Deployment;
  let tools: ImportTools;
  let folder: string;
  let api: ProductProcess & { url: string };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-killed-'));
    deployment = await createDeployment('postgres', {}, () => NOW);
    tools = importTools(() => deployment.context);
    await saveMapping(deployment.context.database, TENANT, 'plain', stringify(PLAIN.given));
  });
  afterEach(() => api.kill('SIGKILL'));
  afterAll(async () => {
    await deployment.close();
    await rm(folder, { recursive: true });
  });

  const start = async (): Promise<void> => {
    api = await startApiProcess({ DATABASE_URL: deployment.database.url, IMPORT_FOLDER: folder });
  };
  const send = (): ClientRequest => {
    const query = new URLSearchParams({ tenantId: TENANT, mapping: 'plain', register: 'true', feeder: 'F1' });
    const sending = request(`${api.url}/api/ami/imports?${query}`, {
      ...{ method: 'POST', headers: { ...BEARER, 'Content-Type': 'application/octet-stream' } },
    });
    sending.on('error', () => undefined);
    return sending;
  };
  const nothingIsTaken = async (): Promise<void> => {
    for (const table of ['ami_import_values', 'meters', 'meter_reads_electric'])
      expect(await tools.sql(`SELECT FROM ${table}`), table).toEqual([]);
  };

  it('leaves its part of the file, which the next one removes when it is old, and nothing else', async () => {
    await start();
    const sending = send();
    sending.write(csvOf([['A', '2026-11-01T00:00:00', '1']]));
    await waitFor('the file to be there', async () => {
      const [name] = await readdir(folder);
      return name !== undefined && (await stat(join(folder, name))).size > 0;
    });
    await api.kill('SIGKILL');
    const [left = ''] = await readdir(folder);
    expect(await tools.sql('SELECT FROM ami_imports')).toEqual([]);
    await nothingIsTaken();
    // One that is young may be another process's, and stays.
    await start();
    expect(await readdir(folder)).toEqual([left]);
    await api.kill('SIGKILL');
    const old = new Date(Date.now() - 11 * MINUTE_MS);
    await utimes(join(folder, left), old, old);
    await start();
    await waitFor('the folder to be empty', async () => (await readdir(folder)).length === 0);
  });

  it('takes nothing of a file that it was reading, and its import is failed', async () => {
    await start();
    const rows = Array.from({ length: 150_000 }, (_, index): [string, string, string] => [
      `M${index % 1_000}`,
      new Date(Date.UTC(2026, 9, 1) + Math.floor(index / 1_000) * 900_000).toISOString().slice(0, 19),
      '0.25',
    ]);
    const sending = send();
    sending.end(csvOf(rows));
    await waitFor('the file to be read', async () => {
      const [found] = await tools.sql(`SELECT FROM ami_imports WHERE state = 'reading'`);
      return found !== undefined;
    });
    await api.kill('SIGKILL');
    sending.destroy();
    await tools.sql(`UPDATE ami_imports SET accepted_at = accepted_at - interval '1 minute'`);
    // Until Postgres has seen that the reader is gone its lock is held.
    await waitFor('the import to be failed', async () => {
      await settleImports(deployment.context.database);
      const { imports } = await tools.service().list(TENANT);
      return imports[0]?.state === 'failed';
    });
    await nothingIsTaken();
  });
});
