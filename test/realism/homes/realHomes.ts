import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { HomeSeries } from './homeStatistics.js';

/** Real homes to compare with: test/realism/data/README.md says whose they are and under which licence. */
export const REAL_SETS = {
  london: { file: 'london_50homes_2013_30min_Wh.csv.gz', perDay: 48, columns: /^lcl/ },
  belgium: { file: 'belgium_18homes_2016_60min_Wh.csv.gz', perDay: 24, columns: /^og/ },
  california: { file: 'california_9homes_2016-08_60min_Wh.csv.gz', perDay: 24, columns: /_load$/ },
} as const;
export type RealSet = keyof typeof REAL_SETS;

/** A home is left out whose reads are there for less than this part of the year. */
const LEAST_KNOWN = 0.6;

export const realHomes = (name: RealSet): HomeSeries[] => columnsOf(name, REAL_SETS[name].columns);

/** What the roofs of California's homes made, each hour. */
export const realRoofs = (): HomeSeries[] => columnsOf('california', /_pv$/);

function columnsOf(name: RealSet, columns: RegExp): HomeSeries[] {
  const { file, perDay } = REAL_SETS[name];
  const text = gunzipSync(readFileSync(new URL(`../data/${file}`, import.meta.url))).toString();
  const [head, ...lines] = text.trimEnd().split('\n');
  const rows = lines.map((line) => line.split(','));
  const start = new Date(`${rows[0]?.[0]}Z`);
  const firstWeekday = (start.getUTCDay() + 6) % 7;
  return (head as string).split(',').flatMap((column, index) => {
    if (!columns.test(column)) return [];
    const kwh = Float64Array.from(rows, (row) => (row[index] ? Number(row[index]) / 1000 : Number.NaN));
    const there = kwh.filter((value) => !Number.isNaN(value)).length / kwh.length;
    return there < LEAST_KNOWN ? [] : [{ kwh, perDay, firstWeekday }];
  });
}
