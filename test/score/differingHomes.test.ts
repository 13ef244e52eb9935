import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Emulation } from '../../src/contracts/emulation.js';
import { writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { METERS, MONDAY, robbedWeek, THIEVES, WITH_SUN, week } from './robbedWeek.js';

const JUNE = Date.UTC(2026, 5, 8);
/** The same equipment behind the meters of homes that differ. */
const inLondon = (model: 2 | 3): Emulation => ({ ...WITH_SUN, model, place: 'uk' });

/** Weeks and months of homes with equipment, 170 s of a core: `npm test` leaves them out. */
describe('suspicious meters against the thefts that were injected, among homes that differ', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it.each([
    ['a week of January', 2, MONDAY],
    ['a week of June', 2, JUNE],
    ['a week of January', 3, MONDAY],
    ['a week of June', 3, JUNE],
  ] as const)(
    'names them among homes that differ, with roofs, cars and heat pumps, in %s, model %i',
    async (_, model, monday) => {
      const score = await robbedWeek(database.pool, `WEEK_${model}_${monday}`, inLondon(model), monday);
      expect(score.injected).toBeGreaterThan(THIEVES * 6);
      expect(score.precision).toBeGreaterThanOrEqual(0.93);
      expect(score.recall).toBeGreaterThanOrEqual(0.93);
    },
    180_000,
  );

  it.each([2, 3] as const)(
    'names at most 0.2 % of such homes in a month without theft, model %i',
    async (model) => {
      const tenantId = `QUIET_JUNE_${model}`;
      await writeHistory(database.pool, week(tenantId, inLondon(model), JUNE, 30));
      const { rows } = await database.pool.query(
        `SELECT count(DISTINCT meter_id)::integer AS meters FROM v_kpi_suspicious_meters_daily WHERE tenant_id = $1`,
        [tenantId],
      );
      expect(rows[0].meters).toBeLessThanOrEqual(METERS / 500);
    },
    360_000,
  );
});
