import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadParquet, type ReadTable } from '../columnFiles/parquet.js';
import { StartupError } from '../contracts/errors.js';
import { MS_PER_DAY } from '../contracts/intervals.js';
import { type DatasetManifest, manifestOf } from './dataset.js';
import { MeterDays } from './meterDays.js';

/** How well the reads of a set alone give away its thefts, over meters and days of the fleet's clock. */
export interface DatasetScore {
  from: string;
  /** Exclusive. */
  to: string;
  meterDays: number;
  /** Meter-days with a read that a theft concerns, but for those that are not named and on which it took nothing: the labels. */
  injected: number;
  /** Meter-days with a read that registers too little of what was delivered: the reads alone. */
  named: number;
  right: number;
  precision: number | null;
  recall: number | null;
  missed: string[];
  wronglyNamed: string[];
  /** The same of the meter-days of each form of theft; what is named wrongly belongs to none. */
  byForm: Record<string, { injected: number; right: number; recall: number }>;
}

/**
 * The twin of the score of a deployment: the rule is that of the view of suspicious meters.
 *
 * @throws StartupError where the folder has no whole data set of Parquet.
 */
export async function scoreDataset(folder: string): Promise<DatasetScore> {
  const manifest = await manifestOf(folder);
  if (manifest.format !== 'parquet')
    throw new StartupError(
      `${folder} is a data set of ${manifest.format}: only one of Parquet can be scored.`,
    );
  const dayOf = localDays(manifest.scenario.timeZone);
  const injected = new Map<string, Set<string>>();
  /** Instants of the reads that thefts concern, by meter. */
  const robbed = new Map<string, Set<number>>();
  await eachFile(folder, manifest, 'labels', (table) => {
    const { keyAt, meterAt, startAt } = meterDaysOf(table, dayOf);
    const formsOf = table.cells('theft_forms') as string[];
    const isMissing = table.cells('is_missing') as boolean[];
    for (let row = 0; row < table.rows; row += 1) {
      const forms = formsOf[row] as string;
      if (forms === '' || isMissing[row]) continue;
      addTo(robbed, meterAt(row), [startAt(row)]);
      addTo(injected, keyAt(row), forms.split(' '));
    }
  });
  const named = new Set<string>();
  const taken = new Set<string>();
  const meterDays = new MeterDays();
  await eachFile(folder, manifest, 'reads', (table) => {
    const { dayAt, meterAt, keyAt, startAt, first } = meterDaysOf(table, dayOf);
    // Files come by UTC day. The day of the clock that is over a day before has all of its reads.
    if (first !== undefined) meterDays.closeBefore(dayOf(first - MS_PER_DAY));
    const kwh = table.cells('kwh') as number[];
    const delivered = table.cells('delivered_kwh') as number[];
    for (let row = 0; row < table.rows; row += 1) {
      meterDays.add(dayAt(row), meterAt(row));
      if (isUnderregistered(kwh[row] as number, delivered[row] as number)) named.add(keyAt(row));
      if (delivered[row] !== 0 && robbed.get(meterAt(row))?.has(startAt(row))) taken.add(keyAt(row));
    }
  });
  for (const key of injected.keys()) if (!named.has(key) && !taken.has(key)) injected.delete(key);
  return compared(manifest, meterDays.count, injected, named);
}

function addTo<Value>(sets: Map<string, Set<Value>>, key: string, values: readonly Value[]): void {
  const known = sets.get(key) ?? new Set();
  for (const value of values) known.add(value);
  sets.set(key, known);
}

function compared(
  { from, to }: DatasetManifest,
  meterDays: number,
  injected: ReadonlyMap<string, ReadonlySet<string>>,
  named: ReadonlySet<string>,
): DatasetScore {
  const missed = [...injected.keys()].filter((key) => !named.has(key)).sort();
  const wronglyNamed = [...named].filter((key) => !injected.has(key)).sort();
  const right = named.size - wronglyNamed.length;
  const byForm: DatasetScore['byForm'] = {};
  for (const [key, forms] of [...injected].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    for (const form of [...forms].sort()) {
      const of = byForm[form] ?? { injected: 0, right: 0, recall: 0 };
      of.injected += 1;
      if (named.has(key)) of.right += 1;
      of.recall = of.right / of.injected;
      byForm[form] = of;
    }
  return {
    ...{ from, to, meterDays, injected: injected.size, named: named.size, right },
    precision: named.size === 0 ? null : right / named.size,
    recall: injected.size === 0 ? null : right / injected.size,
    ...{ missed, wronglyNamed, byForm },
  };
}

/** As `ami_is_underregistered` has it, of energies in 0.1 Wh. */
function isUnderregistered(kwh: number, delivered: number): boolean {
  return delivered > 0 && kwh * 100 < delivered * 85 && delivered - kwh > 5;
}

async function eachFile(
  folder: string,
  { files }: DatasetManifest,
  kind: 'reads' | 'labels',
  look: (table: ReadTable) => void,
): Promise<void> {
  const parquet = await loadParquet();
  for (const { path } of files)
    if (path.startsWith(`${kind}/`)) look(parquet.read(await readFile(join(folder, path))));
}

function meterDaysOf(table: ReadTable, dayOf: (ms: number) => string) {
  const starts = table.cells('interval_start') as number[];
  const meters = table.cells('meter_id') as string[];
  const startAt = (row: number): number => Math.floor((starts[row] as number) / 1000);
  const dayAt = (row: number): string => dayOf(startAt(row));
  const meterAt = (row: number): string => meters[row] as string;
  return {
    dayAt,
    meterAt,
    startAt,
    keyAt: (row: number): string => `${dayAt(row)} ${meterAt(row)}`,
    /** In ms; rows are by meter, and each meter's by time. */
    first: table.rows === 0 ? undefined : startAt(0),
  };
}

/** The day that a local clock shows, `2026-01-31`; instants come again and again. */
function localDays(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone, year: 'numeric', month: '2-digit', day: '2-digit' },
  });
  const known = new Map<number, string>();
  return (ms) => {
    const found = known.get(ms) ?? format.format(ms);
    known.set(ms, found);
    return found;
  };
}
