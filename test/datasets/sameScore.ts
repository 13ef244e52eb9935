import type { Pool } from 'pg';
import { expect } from 'vitest';
import { scoreDataset } from '../../src/datasets/scoreDataset.js';
import { scoreSuspicion } from '../../src/score/score.js';

/** Holds the score of a data set to that of the same reads in a database. */
export async function expectSameScore(database: Pool, tenantId: string, folder: string): Promise<void> {
  const live = await scoreSuspicion(database, tenantId);
  const { injected, named, right, missed, wronglyNamed } = await scoreDataset(folder);
  expect({ injected, named, right, missed, wronglyNamed }).toEqual({
    ...{ injected: live.injected, named: live.named, right: live.right },
    ...{ missed: live.missed, wronglyNamed: live.wronglyNamed },
  });
}
