import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { STRETCHED_BUDGET } from '../support/answerBudget.js';
import { programArguments } from '../support/compiledSources.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { type ProductProcess, startProcess } from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';
import { DAY, NOW, TENANT, type VeeTools, veeTools } from './veeTools.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Three batches of meters. */
const METERS = 1_100;

describe('validation by processes', () => {
  let deployment: Deployment;
  let tools: VeeTools;
  const workers: ProductProcess[] = [];
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {}, () => NOW);
    tools = veeTools(() => deployment);
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.kill('SIGKILL');
    await tools.forget();
  });
  afterAll(() => deployment.close());

  const startWorker = (): ProductProcess => {
    const worker = startProcess('worker', { DATABASE_URL: deployment.database.url });
    workers.push(worker);
    return worker;
  };
  const command = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env.PATH ?? '',
        DATABASE_URL: deployment.database.url,
        ...STRETCHED_BUDGET,
      };
      const all = [...programArguments('commands/vee'), ...args];
      execFile(process.execPath, all, { cwd: ROOT, env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });

  it('goes on with a run whose worker was killed, and finds, marks and counts each read once', async () => {
    const meters = Array.from({ length: METERS }, (_, index) => `M-${String(index).padStart(4, '0')}`);
    const span = { from: '2026-03-10T10:00:00Z', to: '2026-03-10T16:00:00Z' };
    await tools.fill(meters, span.from, span.to);
    await tools.sql(
      `UPDATE meter_reads_electric SET kwh = -0.25 WHERE tenant_id = $1 AND read_at = '2026-03-10T12:00:00Z'`,
      [TENANT],
    );
    const { body } = await deployment.post('/api/ami/vee/runs', { tenantId: TENANT, ...span });
    const first = startWorker();
    await waitFor('a part to be validated', async () => {
      const [run] = await tools.sql('SELECT state, after_meter FROM ami_vee_runs WHERE run_id = $1', [
        body.runId,
      ]);
      return run?.after_meter !== null || run?.state === 'done';
    });
    await first.kill('SIGKILL');
    startWorker();
    const run = await tools.finished(body.runId);
    expect(run).toMatchObject({
      ...{ state: 'done', meters: METERS, reads: METERS * 24, findings: { negative: METERS } },
      ...{ kept: METERS, marked: METERS },
    });
    const [counts] = await tools.sql(
      `SELECT (SELECT count(*)::integer FROM ami_vee_findings WHERE tenant_id = $1) AS findings,
         (SELECT count(*)::integer FROM ami_replaced_reads WHERE tenant_id = $1) AS replaced,
         (SELECT count(*)::integer FROM meter_reads_electric WHERE tenant_id = $1 AND quality = 'questionable') AS marked`,
      [TENANT],
    );
    expect(counts).toEqual({ findings: METERS, replaced: METERS, marked: METERS });
  });

  it('is asked for by npm run vee, which shows what was found', async () => {
    await tools.fill(['A', 'B'], '2026-02-23T00:00:00Z', DAY.to);
    await tools.remove('A', '2026-03-10T10:00:00Z', '2026-03-10T11:00:00Z');
    startWorker();
    const span = ['--tenant', TENANT, '--from', DAY.from, '--to', DAY.to];
    const { code, stdout } = await command(...span);
    expect(code).toBe(0);
    expect(stdout).toContain('188 reads of 2 meters; 1 finding, 0 reads marked questionable.');
    expect(stdout).toMatch(/A +missing +2026-03-10T10:00:00\.000Z +1/);
    const asJson = await command(...span, '--json');
    expect(JSON.parse(asJson.stdout)).toMatchObject({ state: 'done', findings: { missing: 1 } });
  });

  it.each<[string[], string]>([
    [[], 'Name the tenant: --tenant DEMO_TENANT.'],
    [['--tenant', 'T'], 'Say the span by --from and --to'],
    [['--tenant', 'T', '--from', 'x', '--to', DAY.to], '--from must be an ISO 8601 instant'],
    [['--tenant', 'T', '--from', DAY.to, '--to', DAY.from], '--from must lie before to'],
  ])('%j is refused by a sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await command(...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(sentence);
  });

  it('has like days go by the zone of the tenant’s days, unless the rules name another one', async () => {
    const zone = async () => {
      const { timeZone, timeZoneOf, warnings } = (
        await deployment.http.get(`/api/ami/vee/rules?tenantId=${TENANT}`)
      ).body;
      expect(warnings?.length ?? 0).toBe(timeZoneOf === 'rules' ? 1 : 0);
      return [timeZone, timeZoneOf];
    };
    const setZone = (timeZone: string) => deployment.post('/api/ami/zone', { tenantId: TENANT, timeZone });
    expect(await zone()).toEqual(['UTC', 'tenant']);
    await setZone('Europe/Berlin');
    expect(await zone()).toEqual(['Europe/Berlin', 'tenant']);
    expect((await tools.rules({ timeZone: 'America/New_York' })).warnings).toEqual([
      expect.stringContaining('POST /api/ami/zone is to name the one for both'),
    ]);
    expect(await zone()).toEqual(['America/New_York', 'rules']);
    // Days come to be counted by it too: the rules have nothing of their own left to say.
    await setZone('America/New_York');
    expect(await zone()).toEqual(['America/New_York', 'tenant']);
    await setZone('Europe/Berlin');
    await tools.rules({ timeZone: 'UTC' });
    expect(await zone()).toEqual(['Europe/Berlin', 'tenant']);
  });

  it('keeps the zone of the tenant’s days no second time: the rules follow it', async () => {
    const setZone = (timeZone: string) => deployment.post('/api/ami/zone', { tenantId: TENANT, timeZone });
    await setZone('Europe/Berlin');
    await tools.rules({ timeZone: 'Europe/Berlin' });
    await setZone('Asia/Kolkata');
    const { body } = await deployment.http.get(`/api/ami/vee/rules?tenantId=${TENANT}`);
    expect(body).toMatchObject({ timeZone: 'Asia/Kolkata', timeZoneOf: 'tenant' });
    expect(body.warnings).toBeUndefined();
    await setZone('UTC');
  });
});
