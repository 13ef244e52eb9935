import type { Inspection } from '../imports/inspectFile.js';
import type { PlannedDay, PlanReport } from '../imports/plan.js';

export const FORMATS = {
  csv: 'CSV',
  espi: 'Green Button XML (ESPI)',
  nem12: 'NEM12',
  cmep: 'CMEP',
  parquet: 'Parquet',
};
/** As many as a terminal shows; --json has all that are told. */
const DAYS_SHOWN = 40;
const REFUSALS_SHOWN = 10;

/** What one file holds, as text for a terminal. */
export function inspectionReport(inspection: Inspection): string {
  const { name, format, mapping, open, refusal, report } = inspection;
  const head = `${name}: ${format === undefined ? 'not read' : FORMATS[format]}`;
  if (refusal !== undefined) return `${head}\n  Refused: ${refusal}.\n`;
  const lines = [head];
  if (mapping !== undefined) lines.push('', ...indented(mapping.trimEnd()));
  if (open !== undefined) {
    const answer =
      format === 'csv'
        ? ' Write the lines above into a file with the answers, and name it by --mapping.'
        : '';
    lines.push(
      '',
      `  The file does not say all that it means.${answer}`,
      ...open.map((question) => `  - ${question}`),
    );
  }
  if (report) lines.push('', ...countsOf(report));
  return `${lines.join('\n')}\n`;
}

export const indented = (text: string): string[] => text.split('\n').map((line) => `  ${line}`);
export const count = (value: number): string => value.toLocaleString('en-US');
export const counted = (value: number, what: string): string =>
  `${count(value)} ${what}${value === 1 ? '' : 's'}`;

function countsOf({ reads, refused, refusals, left, byDay, days }: PlanReport): string[] {
  const meters = new Set(byDay.map(({ meterId }) => meterId)).size;
  const leftOut = Object.entries(left).map(([what, values]) => `  Left: ${count(values)} × ${what}`);
  return [
    `  ${counted(reads, 'read')} of ${counted(meters, 'meter')}; ${counted(refused, 'row')} refused.`,
    ...leftOut,
    ...refusals.slice(0, REFUSALS_SHOWN).map(({ line, reason }) => `  Line ${line}: ${reason}`),
    ...(refused > REFUSALS_SHOWN ? [`  and ${count(refused - REFUSALS_SHOWN)} more refused`] : []),
    '',
    ...table(byDay.toSorted(byMeterAndDay).slice(0, DAYS_SHOWN)),
    ...(days > DAYS_SHOWN ? [`  and ${count(days - DAYS_SHOWN)} more days`] : []),
  ];
}

const keyOf = ({ meterId, channel, day }: PlannedDay): string => [meterId, channel, day].join('\t');
const byMeterAndDay = (one: PlannedDay, other: PlannedDay): number => (keyOf(one) < keyOf(other) ? -1 : 1);

const CHANNELS = { kwh: 'from grid', receivedKwh: 'into grid' };

function table(days: readonly PlannedDay[]): string[] {
  const rows = days.map(({ meterId, day, channel, reads, kwh, estimated }) => [
    ...[meterId, day, CHANNELS[channel], String(reads), kwh, String(estimated)],
  ]);
  return columns([['meter', 'day', 'channel', 'reads', 'kWh', 'estimated'], ...rows], 3);
}

/** @param texts how many columns are texts; numbers, which follow, stand to the right. */
export function columns(all: readonly string[][], texts: number): string[] {
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all.map((row) => {
    const cells = row.map((cell, column) =>
      column < texts ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join('  ').trimEnd()}`;
  });
}
