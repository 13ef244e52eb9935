import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UNFINISHED } from '../../src/columnFiles/wholeFile.js';
import { makeDataset } from '../../src/datasets/dataset.js';
import { readScenario } from '../../src/scenarios/readScenario.js';
import { mountSmallDisk, noSmallDisk } from '../support/smallDisk.js';

const WITHOUT_DISK = (await noSmallDisk()) !== undefined;
const scenario = readScenario(
  `scenario: More than a small disk holds
tenantId: SMALL_DISK
meterCount: 2000
feederCount: 10
span: { from: 2026-03-02, days: 4 }
`,
  'a test',
);

describe('a data set on a disk that is full', () => {
  it.skipIf(WITHOUT_DISK)('says so, never looks whole, and is gone on with when there is room', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'gridlens-elsewhere-'));
    const disk = await mountSmallDisk(64);
    try {
      const options = { format: 'parquet' as const, threads: 1 };
      const whole = await makeDataset(scenario, { ...options, folder: elsewhere, resumes: false });
      const folder = join(disk.folder, 'set');
      // Room for two of the four days.
      const bytes = whole.files.reduce((sum, file) => sum + file.bytes, 0);
      await disk.fill(Math.floor(bytes / 2 / 1_024));
      await expect(makeDataset(scenario, { ...options, folder, resumes: false })).rejects.toThrow(
        'the disk is full',
      );
      expect(existsSync(join(folder, 'manifest.json'))).toBe(false);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      expect(files.filter((file) => file.endsWith(UNFINISHED))).toEqual([]);
      expect(
        files.filter((file) => file.startsWith('reads') && file.endsWith('.parquet')).length,
      ).toBeLessThan(4);
      disk.empty();
      const { sha256 } = await makeDataset(scenario, { ...options, folder, resumes: true });
      expect(sha256).toBe(whole.sha256);
    } finally {
      await disk.remove();
      rmSync(elsewhere, { recursive: true });
    }
  });
});
