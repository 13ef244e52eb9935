import type { ImportedFile } from '../imports/importFile.js';
import type { Judgement } from '../imports/judge.js';
import type { ImportAnswer } from '../imports/progressAnswer.js';
import { columns, count, counted, FORMATS, inspectionReport } from './inspectReport.js';

/** As many as a terminal shows; --json has all that are told. */
const REFUSALS_SHOWN = 10;
const DAYS_SHOWN = 40;

/** What has become of a file, before the workers write it. */
export function takenReport(taken: ImportedFile): string {
  const {
    name,
    format,
    mapping,
    open,
    refusal,
    report,
    reads = 0,
    repeated = 0,
    metersRegistered = 0,
  } = taken;
  if (open !== undefined || report === undefined)
    return inspectionReport({
      name,
      ...(format === undefined ? {} : { format }),
      ...(mapping === undefined || open === undefined ? {} : { mapping }),
      ...(open === undefined ? {} : { open }),
      ...(refusal === undefined ? {} : { refusal }),
    });
  const lines = [`${name}: ${format === undefined ? 'not taken' : FORMATS[format]}`];
  if (refusal !== undefined) lines.push(`  Refused: ${refusal}. --most-refusals raises the limit.`);
  else
    lines.push(
      `  ${counted(reads, 'read')} to be written; ${counted(report.refused, 'row')} refused, ${count(repeated)} repeated.`,
    );
  for (const [what, values] of Object.entries(report.left)) lines.push(`  Left: ${count(values)} × ${what}`);
  const shown = report.refusals.slice(0, REFUSALS_SHOWN);
  for (const { line, reason, rows = 1 } of shown)
    lines.push(`  Line ${line}${rows > 1 ? ` and ${counted(rows - 1, 'row')} more` : ''}: ${reason}`);
  const untold = report.refused - shown.reduce((sum, { rows = 1 }) => sum + rows, 0);
  if (untold > 0) lines.push(`  and ${count(untold)} more refused`);
  if (metersRegistered > 0) lines.push(`  ${counted(metersRegistered, 'meter')} taken into the registry.`);
  if (taken.judgement) lines.push('', ...judgementLines(taken.judgement));
  if (taken.existing) lines.push(`  Import ${taken.importId} is writing the same file already.`);
  return `${lines.join('\n')}\n`;
}

function judgementLines({
  written,
  replaced,
  unchanged,
  refused,
  reasons,
  byDay,
  days,
}: Judgement): string[] {
  return [
    `  It would write ${counted(written, 'new read')} and replace ${count(replaced)}; ${count(unchanged)} are there already, ${count(refused)} would be left.`,
    ...reasons.map(({ reason, reads }) => `  Left: ${count(reads)} × ${reason}`),
    '',
    ...columns(
      [
        ['meter', 'day', 'new', 'replaced', 'there', 'left'],
        ...byDay
          .slice(0, DAYS_SHOWN)
          .map((day) => [
            day.meterId,
            day.day,
            ...[day.written, day.replaced, day.unchanged, day.refused].map(String),
          ]),
      ],
      2,
    ),
    ...(days > DAYS_SHOWN ? [`  and ${count(days - DAYS_SHOWN)} more days`] : []),
    '',
    '  Nothing was written: this is a dry run.',
  ];
}

export const NO_WORKER =
  'No worker is running: nothing is written until one is (npm start, or npm run worker).';

/** The share of batches that are over, in percent. */
export function percentDone({ batches }: ImportAnswer): number {
  if (batches.total === 0) return 100;
  return Math.floor((1000 * (batches.done + batches.failed + batches.cancelled)) / batches.total) / 10;
}

/** How far it is, in a line. */
export function progressText({ importId, rows, reads, failure }: ImportAnswer, hasWorker: boolean): string {
  const seen = rows.inserted + rows.replaced + rows.unchanged + rows.refusedByRules;
  const trouble = failure === undefined ? '' : `; ${failure}`;
  return `import ${importId}: ${count(seen)} of ${counted(reads, 'read')}${trouble}${hasWorker ? '' : '; no worker is running'}`;
}

/** What came of it, in a sentence or two. */
export function endReport({ importId, state, rows, failure, fileName }: ImportAnswer): string {
  const counts = `${counted(rows.inserted, 'new read')}, ${count(rows.replaced)} replaced, ${count(rows.unchanged)} there already, ${count(rows.refusedByRules)} left by the rules`;
  const end = {
    done: 'Done',
    failed: 'It failed',
    cancelled: 'It was cancelled',
    reading: 'It is being read',
    queued: 'It waits for its turn',
    running: 'It is being written',
  }[state];
  const why = failure === undefined ? '' : ` ${failure.endsWith('.') ? failure : `${failure}.`}`;
  return `Import ${importId} of ${fileName}: ${end}: ${counts}.${why}\n`;
}

/** What goes on when the command is left. */
export function leftRunningReport(importIds: readonly number[]): string {
  const first = importIds[0];
  if (first === undefined) return 'Nothing of the file that was being read is taken.\n';
  return `What was read is written without this command. To end it: npm run import -- --cancel ${first}\n`;
}
