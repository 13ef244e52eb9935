import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER } from '../support/deployment.js';
import { startApiProcess } from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const TENANT = 'STOPPED';

describe('stopping under load', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('H7: is not ready first, answers all that it has begun, and resets nobody who goes by readiness', async () => {
    // A grace that is long enough on a machine of any load.
    const api = await startApiProcess({ DATABASE_URL: database.url, STOP_GRACE_SECONDS: '6' });
    let inService = true;
    let answered = 0;
    const lost: string[] = [];
    const ask = async (path: string, options: RequestInit = {}): Promise<void> => {
      while (inService) {
        await fetch(`${api.url}${path}`, options).then(
          async (answer) => {
            await answer.arrayBuffer();
            answered += 1;
          },
          (error: Error) => lost.push(String(error.cause ?? error)),
        );
      }
    };
    const publish: RequestInit = {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: TENANT, meterCount: 1 }),
    };
    const load = [
      ...Array.from({ length: 20 }, () => ask(`/api/ami/status?tenantId=${TENANT}`)),
      ...Array.from({ length: 4 }, () => ask('/api/ami/publish-once', publish)),
    ];
    await waitFor('load', async () => answered > 50);
    api.child.kill('SIGTERM');
    await waitFor('not ready', async () => (await fetch(`${api.url}/readyz`)).status === 503);
    const { ok } = await fetch(`${api.url}/healthz`);
    // As a balancer does: it sends nothing new to a process that is not ready.
    inService = false;
    await Promise.all(load);
    expect(await api.exited).toEqual({ code: 0, signal: null });
    expect(ok).toBe(true);
    expect(lost).toEqual([]);
  });

  it('H7: answers each publish that it has accepted, whatever the callers do', async () => {
    const api = await startApiProcess({ DATABASE_URL: database.url, STOP_GRACE_SECONDS: '0' });
    const told = new Set<string>();
    let refused = false;
    const publishUntilGone = async (): Promise<void> => {
      while (!refused) {
        const body = JSON.stringify({ tenantId: `${TENANT}_2`, meterCount: 1 });
        const headers = { ...BEARER, 'Content-Type': 'application/json' };
        await fetch(`${api.url}/api/ami/publish-once`, { method: 'POST', headers, body }).then(
          async (answer) => {
            const { publishId } = (await answer.json()) as { publishId?: string };
            if (publishId !== undefined) told.add(publishId);
          },
          (error: Error) => {
            refused = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
          },
        );
      }
    };
    const callers = Array.from({ length: 8 }, publishUntilGone);
    await waitFor('publishes', async () => told.size > 10);
    api.child.kill('SIGTERM');
    await Promise.all(callers);
    await api.exited;
    const { rows } = await database.pool.query<{ id: string }>(
      'SELECT publish_id AS id FROM ami_publishes WHERE tenant_id = $1',
      [`${TENANT}_2`],
    );
    expect(rows.map(({ id }) => id).filter((id) => !told.has(id))).toEqual([]);
  });
});
