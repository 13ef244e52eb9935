import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER } from '../support/deployment.js';
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';
import { hasPrometheus, promtool, samplesOf } from './promtool.js';

/** Real processes, a Postgres of their own, and Debian's Prometheus. */
describe('API and worker as Prometheus scrapes them', () => {
  let postgres: OwnPostgres;
  let api: ProductProcess & { url: string };
  let worker: ProductProcess;
  let workerPort: number;
  let env: Record<string, string>;
  beforeAll(async () => {
    postgres = await startOwnPostgres();
    workerPort = await getPort({ host: '127.0.0.1' });
    env = { DATABASE_URL: postgres.url, WORKER_METRICS_PORT: String(workerPort) };
    api = await startApiProcess(env);
    worker = await startWorkerProcess(env);
  });
  afterAll(async () => {
    await Promise.all([api?.kill('SIGKILL'), worker?.kill('SIGKILL')]);
    await postgres?.remove();
  });
  const ofWorker = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${workerPort}/metrics`)).text();
  const publish = (meterCount: number) =>
    fetch(`${api.url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: `T${meterCount}`, meterCount, feederCount: 10 }),
    });

  it('a worker has its series before its first batch, and counts what it writes', async () => {
    const written = 'gridlens_reads_total{lane="live",outcome="inserted"}';
    expect(samplesOf(await ofWorker()).get(written)).toBe(0);
    expect((await publish(100)).ok).toBe(true);
    await waitFor('100 reads', async () => samplesOf(await ofWorker()).get(written) === 100);
    const found = samplesOf(await ofWorker());
    expect(found.get('gridlens_batches_total{lane="live",outcome="written"}')).toBe(
      found.get('gridlens_batch_write_duration_seconds_count{lane="live"}'),
    );
    expect(found.get('gridlens_worker_concurrency')).toBe(8);
  });

  it('a worker answers nothing else on that port', async () => {
    for (const path of ['/', '/healthz', '/api/ami/status'])
      expect((await fetch(`http://127.0.0.1:${workerPort}${path}`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${workerPort}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('a second worker with the same port ends with one sentence', async () => {
    const second = startProcess('worker', env);
    expect((await second.exited).code).toBe(1);
    const sentence = `Port ${workerPort} on 127.0.0.1 is taken: give each worker on this machine a WORKER_METRICS_PORT of its own.\n`;
    expect(second.output().endsWith(sentence)).toBe(true);
  });

  it.skipIf(!hasPrometheus)('both have names and units by its rules', async () => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
    expect(promtool(['check', 'metrics'], await ofWorker())).toEqual({ status: 0, output: '' });
  });

  it.skipIf(!hasPrometheus)(
    'a real Prometheus scrapes both, and sees reads grow after a publish',
    async () => {
      const targets = { 'gridlens-api': new URL(api.url).host, 'gridlens-worker': `127.0.0.1:${workerPort}` };
      const server = await startPrometheus(targets);
      try {
        const inserted = 'sum(gridlens_reads_total{job="gridlens-worker",outcome="inserted"})';
        await waitFor('the reads so far', async () => Number(await server.value(inserted)) >= 100);
        expect((await publish(150)).ok).toBe(true);
        await waitFor('150 more', async () => Number(await server.value(inserted)) === 250);
        await waitFor('the tenants', async () => (await server.value('gridlens_tenants')) === '2');
        expect(await server.value('gridlens_dependency_up{dependency="worker"}')).toBe('1');
        expect(await server.value('count(gridlens_queue_jobs{job="gridlens-api"})')).toBe('8');
        expect(await server.value('sum(up)')).toBe('2');
      } finally {
        await server.stop();
      }
    },
  );

  it('while Postgres is away, scrapes are answered and say so; when it is back, the figures are too', async () => {
    const found = async () => samplesOf(await (await fetch(`${api.url}/metrics`)).text());
    await postgres.stop();
    await waitFor(
      'away',
      async () => (await found()).get('gridlens_dependency_up{dependency="postgres"}') === 0,
    );
    expect((await found()).has('gridlens_owed_intervals')).toBe(false);
    expect(await ofWorker()).toContain('gridlens_reads_total');
    await postgres.startAgain();
    await waitFor('back', async () => (await found()).get('gridlens_owed_intervals') === 0);
  });
});

/** Debian's Prometheus over the targets, by job name, in a folder of its own. */
async function startPrometheus(targets: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-prometheus-'));
  const port = await getPort({ host: '127.0.0.1' });
  const jobs = Object.entries(targets).map(([name, target]) => ({
    job_name: name,
    static_configs: [{ targets: [target] }],
  }));
  // JSON is YAML too.
  const config = JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: jobs });
  await writeFile(join(folder, 'prometheus.yml'), config);
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  return {
    /** The first value of a query; undefined while there is none. */
    async value(query: string): Promise<string | undefined> {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
      const answer = await fetch(url).catch(() => null);
      if (!answer?.ok) return undefined;
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result[0]?.value[1];
    },
    async stop(): Promise<void> {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
