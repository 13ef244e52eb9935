import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { OutgoingRead } from '../../src/intervalFiles/outgoing.js';
import { outgoing, series, US, written } from './outgoing.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'gridlens-others-'));
const SCHEMA = fileURLToPath(new URL('../data/espi-schema/feed.xsd', import.meta.url));
const NEM12 = fileURLToPath(new URL('nem12Sums.py', import.meta.url));
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

const kept = (text: string): string => {
  const path = join(FOLDER, 'file');
  writeFileSync(path, text);
  return path;
};
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Names, energies and qualities of all kinds. */
const ODD: OutgoingRead[][] = [
  series('2026-03-01T14:00:00Z', '2026-03-03T14:00:00Z'),
  series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z', {
    meterId: '<&"计量>',
    receivedKwh: '1e-9',
    minutes: 60,
  }),
  [outgoing({ meterId: 'one', kwh: '-0.5' }), outgoing({ meterId: 'one', kwh: '140737488.355328' })],
  (['validated', 'estimated', 'edited', 'questionable'] as const).map((kind, place) =>
    outgoing({ meterId: 'kinds', at: `2026-03-01T0${place}:00:00Z`, quality: { kind } }),
  ),
  series('2026-01-01T00:00:00Z', '2026-02-15T00:00:00Z', { meterId: 'long' }),
];

describe.skipIf(!has('xmllint'))('xmllint, with a schema of ESPI 4.0', () => {
  const trouble = (text: string): string => {
    const { status, stderr } = spawnSync('xmllint', ['--noout', '--schema', SCHEMA, kept(text)], {
      encoding: 'utf8',
    });
    return status === 0 ? '' : stderr;
  };

  it('finds every feed valid, an empty one too', () => {
    expect(trouble(written('green-button', ODD).text)).toBe('');
    expect(trouble(written('green-button', []).text)).toBe('');
  });

  it.each([
    ['<kind>12</kind>', ''],
    ['<value>', '<value>140737488355329'],
    ['<start>', '<start>x'],
    ['<defaultQuality>14', '<defaultQuality>1'],
    ['<uom>72</uom></ReadingType>', '</ReadingType>'],
  ])('finds a feed with a fault: %s becomes %s', (right, wrong) => {
    expect(trouble(written('green-button', ODD).text.replace(right, wrong))).not.toBe('');
  });
});

describe.skipIf(!has('python3'))('a reader of NEM12 that knows nothing of ours', () => {
  const sums = (text: string): Record<string, string[]> =>
    JSON.parse(execFileSync('python3', [NEM12, kept(text)], { encoding: 'utf8' }));

  it('has the same energy in each hour of NEM time', () => {
    const quarter = series('2026-03-01T14:00:00Z', '2026-03-03T14:00:00Z', { receivedKwh: '0.0001' });
    const half = series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z', { meterId: 'HALF', minutes: 30 });
    half[7] = { ...(half[7] as OutgoingRead), quality: { kind: 'estimated', method: 'S14' } };
    const found = sums(
      written('nem12', [quarter, half], { zone: '+10:00', day: '2026-03-02', days: 2 }).text,
    );
    expect(Object.keys(found)).toEqual([
      ...['M-1 E1 20260302', 'M-1 E1 20260303', 'M-1 B1 20260302', 'M-1 B1 20260303', 'HALF E1 20260302'],
    ]);
    const hours: Record<string, number> = {};
    for (const { meterId, startUs, kwh } of [...quarter, ...half]) {
      const nem = new Date(startUs / US + 36_000_000).toISOString();
      const key = `${meterId} ${nem.slice(0, 13)}`;
      hours[key] = (hours[key] ?? 0) + Math.round(Number(kwh) * 10_000);
    }
    for (const [key, values] of Object.entries(found).filter(([name]) => name.includes(' E1 '))) {
      const [meter, , day = ''] = key.split(' ');
      const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
      expect(values.map((value) => Math.round(Number(value) * 10_000))).toEqual(
        values.map((_, hour) => hours[`${meter} ${date}T${String(hour).padStart(2, '0')}`]),
      );
    }
    expect(found['M-1 B1 20260302']).toEqual(Array.from({ length: 24 }, () => '0.0004'));
  });

  it('takes an empty file', () => {
    expect(sums(written('nem12', []).text)).toEqual({});
  });
});
