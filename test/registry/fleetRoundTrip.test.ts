import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportFleet } from '../../src/registry/file/exportFleet.js';
import { loadFleet } from '../../src/registry/file/loadFleet.js';
import { notAnId } from '../../src/registry/file/notAnId.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { createOwnRegistry, fleetFolder, textOf } from '../support/fleetRegistry.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const { registry } = ownMapping('public');
let database: TestDatabase;
let folder: Awaited<ReturnType<typeof fleetFolder>>;
beforeAll(async () => {
  database = await createTestDatabase('empty');
  folder = await fleetFolder();
  await createOwnRegistry(database.pool);
});
afterAll(async () => {
  await database.drop();
  await folder.remove();
});

/** What CSV has a meaning for, what looks like a number, a formula or a date, and any other character. */
const odd = fc.oneof(
  fc.string({
    unit: fc.constantFrom('"', ',', ';', ' ', "'", '\\', '\u00a0', '\uFEFF', 'a', '\u2028'),
    maxLength: 12,
  }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('007', '1e5', '=1+1', '-', 'null', 'NULL', 'true', '{}', '{a,b}', '\\N', 'meter_id', '#'),
);
/** Names that a load takes: no control characters, nothing that stands for lost bytes, not only blanks. */
const name = odd.filter((text) => text.trim() !== '' && !/[\p{Cc}\uFFFD]/u.test(text));
/** Ids too must be none of what stands in files in place of one. */
const id = name.filter((text) => notAnId(text) === undefined);

it('exports a file that, loaded again, changes nothing, and, loaded elsewhere, makes the same fleet', async () => {
  const meter = fc.record({ meterId: id, feeder: fc.integer({ min: -1, max: 4 }), isActive: fc.boolean() });
  const fleet = fc.record({
    meters: fc.uniqueArray(meter, { selector: ({ meterId }) => meterId, minLength: 1, maxLength: 30 }),
    feeders: fc.uniqueArray(fc.record({ feederId: id, name: fc.option(name) }), {
      selector: ({ feederId }) => feederId,
      minLength: 5,
      maxLength: 5,
    }),
  });
  const exported = (tenantId: string) =>
    textOf((open) => exportFleet(database.pool, registry, tenantId, open));
  const load = async (tenantId: string, content: string) =>
    loadFleet(database.pool, registry, { file: await folder.file(content), tenantId, dryRun: false });

  await fc.assert(
    fc.asyncProperty(fleet, async ({ meters, feeders }) => {
      await database.pool.query('TRUNCATE meters, feeders');
      for (const { feederId, name } of feeders) {
        await database.pool.query(`INSERT INTO feeders VALUES ('A', $1, $2)`, [feederId, name]);
      }
      for (const { meterId, feeder, isActive } of meters) {
        const feederId = feeders[feeder]?.feederId ?? null;
        await database.pool.query(`INSERT INTO meters VALUES ('A', $1, $2, $3)`, [
          meterId,
          feederId,
          isActive,
        ]);
      }
      const file = await exported('A');
      const unchanged = { added: 0, updated: 0 };
      expect(await load('A', file)).toMatchObject({
        meters: { ...unchanged, unchanged: meters.length },
        feeders: unchanged,
      });
      expect((await load('B', file)).meters.added).toBe(meters.length);
      expect(await exported('B')).toBe(file);
    }),
    { numRuns: 100 },
  );
});
