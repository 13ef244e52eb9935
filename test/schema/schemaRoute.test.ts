import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CustomerDatabase,
  type CustomerDeployment,
  createCustomerDatabase,
  startOver,
} from '../support/customerDatabase.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';

describe('GET /api/ami/schema', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
  });
  afterAll(() => deployment.close());

  it('says that GridLens made everything where it did', async () => {
    const { status, body } = await deployment.http.get('/api/ami/schema');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ok: true,
      ownSchema: 'public',
      reads: {
        table: 'public.meter_reads_electric',
        madeByGridLens: true,
        key: { name: 'meter_reads_electric_key', source: 'own' },
      },
      meters: { table: 'public.meters', madeByGridLens: true },
      feeders: { table: 'public.feeders', madeByGridLens: true },
      kpiViews: { v_kpi_fieldops_daily: { view: 'public.v_kpi_fieldops_daily', madeByGridLens: true } },
    });
    expect(body.changes.map(({ kind, table }: Record<string, string>) => [kind, table])).toEqual([
      ['create', 'public.feeders'],
      ['create', 'public.meters'],
    ]);
  });

  it('takes no other method', async () => {
    const { status, headers } = await deployment.post('/api/ami/schema', {});
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, HEAD, OPTIONS');
  });
});

describe('GET /api/ami/schema over an existing schema', () => {
  let database: CustomerDatabase;
  let deployment: CustomerDeployment;
  beforeAll(async () => {
    database = await createCustomerDatabase({ file: '02_gis_integer_keys.sql' });
    deployment = await startOver(database, 'postgres', () => new Date());
  });
  afterAll(async () => {
    await deployment.stop();
    await database.drop();
  });

  it('shows what carries what, where each part came from, and what was added', async () => {
    const { body } = await deployment.http.get('/api/ami/schema').set(BEARER);
    // The documentation shows this very answer.
    const shown = /```json\n(\{[\s\S]*?)```/.exec(
      readFileSync(new URL('../../docs/SCHEMA_MAPPING.md', import.meta.url), 'utf8'),
    )?.[1];
    const { kpiViews, changes, ...documented } = JSON.parse(shown ?? 'null');
    expect(body).toMatchObject(documented);
    expect(body.kpiViews).toMatchObject(kpiViews);
    const { changedAt, ...first } = changes[0];
    expect(Date.parse(changedAt)).not.toBeNaN();
    expect(body.changes[0]).toMatchObject(first);
    expect(body.changes.map(({ kind }: { kind: string }) => kind)).toEqual([
      ...Array(3).fill('add column'),
      ...Array(4).fill('add trigger'),
      'adopt',
    ]);
  });
});
