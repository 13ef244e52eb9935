import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProductProcess, startApiProcess } from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

describe('an API process', () => {
  let database: TestDatabase;
  let api: ProductProcess & { url: string };
  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApiProcess({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api?.kill('SIGKILL');
    await database.drop();
  });

  it('keeps an idle connection for longer than the minute for which proxies reuse theirs', async () => {
    const answer = await fetch(`${api.url}/healthz`);
    const promised = /^timeout=(\d+)$/.exec(answer.headers.get('keep-alive') ?? '')?.[1];
    expect(Number(promised)).toBeGreaterThan(60);
  });
});
