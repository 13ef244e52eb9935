import { describe, expect, it } from 'vitest';
import type { BatchJob } from '../../src/contracts/batchJob.js';
import type { Queryable } from '../../src/db/db.js';
import { requireFits, requireTenantFits } from '../../src/publishing/requireFits.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { sharedRuns } from '../../src/timing/sharedRuns.js';
import { createSnapshotMeters } from '../../src/writing/snapshotMeters.js';

describe('the meters a worker keeps', () => {
  it('are read once, and no more of them than there is room for', async () => {
    const asked: number[] = [];
    const client = {
      query: async ({ values }: { values: [string, number, number] }) => {
        asked.push(values[1]);
        return { rows: [{ feederId: 'F', meterIds: Array(10).fill('M'), syntheticFeederCount: null }] };
      },
    } as unknown as Queryable;
    const batches = createSnapshotMeters(20);
    const look = (from: number) =>
      batches.of(client, { fleetId: '1', from, to: from + 10 } as unknown as BatchJob);
    for (const from of [0, 10, 0, 10, 0]) await look(from);
    expect(asked).toEqual([0, 10]);
    for (const from of [20, 0, 10]) await look(from);
    expect(asked).toEqual([0, 10, 20, 10]);
    expect(await batches.of(client, { from: 0, to: 10 } as unknown as BatchJob)).toBeUndefined();
    await expect(
      batches.of(client, { fleetId: '1', from: 0, to: 11 } as unknown as BatchJob),
    ).rejects.toThrow('fleet 1 has 10 of the 11 meters at positions 0 to 11');
  });
});

describe('work shared by many', () => {
  it('is done once for all who came while it was under way, never from before they asked', async () => {
    let state = 0;
    let runs = 0;
    const look = sharedRuns(async () => {
      runs += 1;
      const seen = state;
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (seen === 2) throw new Error('failed');
      return seen;
    });
    const first = look('T');
    state = 1;
    const meanwhile = Array.from({ length: 50 }, () => look('T'));
    expect([await first, ...new Set(await Promise.all(meanwhile)), runs]).toEqual([0, 1, 2]);
    state = 2;
    const failing = look('T');
    state = 3;
    const after = look('T');
    await expect(failing).rejects.toThrow('failed');
    expect(await after).toBe(3);
  });
});

describe('a table of reads of another make', () => {
  const { reads } = ownMapping('public');
  const synthetic = { meterCount: 500, feederCount: 25 };
  const withKind = (column: 'tenantId' | 'meterId', kind: 'integer' | 'uuid') => ({
    ...reads,
    columns: { ...reads.columns, [column]: { ...reads.columns[column], kind, type: kind } },
  });

  it('takes no synthetic ids in columns of other types', () => {
    for (const kind of ['integer', 'uuid'] as const) {
      const narrow = withKind('meterId', kind);
      expect(() => requireFits(narrow, { tenantId: 'T', fleet: synthetic })).toThrow(
        `fleet cannot be "synthetic", since public.meter_reads_electric.meter_id (${kind}) has no room for names like T-MTR-00500: use "registry".`,
      );
      requireTenantFits(narrow, 'T');
    }
    requireFits(reads, { tenantId: 'T', fleet: synthetic });
    const short = { ...reads.columns.meterId, type: 'character varying(10)' };
    expect(() =>
      requireFits(
        { ...reads, columns: { ...reads.columns, meterId: short } },
        { tenantId: 'T', fleet: synthetic },
      ),
    ).toThrow('(character varying(10)) has no room for names like T-MTR-00500');
  });

  it('takes only tenants that its column has room for', () => {
    const uuid = '9f1b2c3d-0000-4000-8000-000000000001';
    requireTenantFits(withKind('tenantId', 'integer'), '42');
    requireTenantFits(withKind('tenantId', 'uuid'), uuid);
    expect(() => requireTenantFits(withKind('tenantId', 'integer'), 'T-1')).toThrow(
      'tenantId must be a whole number, as public.meter_reads_electric.tenant_id (integer) is.',
    );
    expect(() => requireTenantFits(withKind('tenantId', 'uuid'), '42')).toThrow('tenantId must be a UUID');
  });
});
