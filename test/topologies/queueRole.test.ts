import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BEARER } from '../support/deployment.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

describe('the queue in Postgres under a role of its own', () => {
  let database: TestDatabase;
  const role = `queue_${randomUUID().replaceAll('-', '')}`;
  let url: string;
  const processes: ProductProcess[] = [];
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  const sql = (text: string) => database.pool.query(text);
  beforeAll(async () => {
    database = await createTestDatabase();
    const { rows } = await sql('SELECT current_database() AS name');
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'queue';
      ALTER ROLE ${role} SET default_transaction_isolation = 'serializable';
      REVOKE TEMPORARY ON DATABASE ${rows[0].name} FROM PUBLIC;
      GRANT USAGE ON SCHEMA public TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
      GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO ${role}`);
    const asRole = new URL(database.url);
    asRole.username = role;
    asRole.password = 'queue';
    url = asRole.href;
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
  });
  afterAll(async () => {
    await sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await database.drop();
  });

  it('Q9: start names the rights that the queue lacks, and with those it works for a role that is serializable by default', async () => {
    const refused = track(startProcess('index', { DATABASE_URL: url }));
    expect((await refused.exited).code).toBe(1);
    const sentence = refused.output().trim();
    expect(sentence.split('\n')).toHaveLength(1);
    expect(sentence).toMatch(
      /^Role \w+ may not do all that the queue does in Postgres: GRANT USAGE, CREATE ON SCHEMA bullmq/,
    );
    const grants = sentence.match(/GRANT [^;]*;/g) ?? [];
    expect(grants).toContainEqual(expect.stringMatching(/^GRANT TEMPORARY ON DATABASE /));
    for (const grant of grants) await sql(grant);

    const api = track(await startApiProcess({ DATABASE_URL: url }));
    const workers = [startWorkerProcess({ DATABASE_URL: url }), startWorkerProcess({ DATABASE_URL: url })];
    const [first, second] = (await Promise.all(workers)).map(track);
    const response = await fetch(`${api.url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        tenantId: 'T',
        meterCount: 2_000,
        batchSize: 50,
        readAt: '2026-01-31T10:00:00Z',
      }),
    });
    expect(response.status).toBe(202);
    const { publishId } = (await response.json()) as { publishId: string };
    await waitFor('the publish', async () => {
      const answer = await fetch(`${api.url}/api/ami/publish/${publishId}`);
      return ((await answer.json()) as { state?: string }).state === 'done';
    });
    // At serializable the queue's own statements fail while others work beside them.
    const output = `${first?.output()}${second?.output()}`;
    expect(output).not.toMatch(/could not serialize|permission denied/);
  });
});
