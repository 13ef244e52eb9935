import type { BackfillService } from '../backfill/backfill.js';
import type { BackfillAnswer } from '../backfill/progressAnswer.js';

type Created = Awaited<ReturnType<BackfillService['create']>>;

/** What was accepted, as the first lines of a command's output. */
export function acceptedReport(created: Created, others: number): string {
  const { backfillId, tenantId, from, to, intervals, existing, safetyWarnings } = created;
  const minutes = (to.getTime() - from.getTime()) / intervals / 60_000;
  const span = `${from.toISOString()} to before ${to.toISOString()}`;
  const begin = existing
    ? `Joined backfill ${backfillId} of ${tenantId}, which is under way:`
    : `Backfill ${backfillId} of ${tenantId}:`;
  const lines = [
    `${begin} ${count(intervals, 'interval')} of ${minutes} minutes from ${span}, the newest first, ${count(created.computedMeters, 'meter')} each.`,
    ...safetyWarnings,
  ];
  if (others > 0)
    lines.push(
      `${count(others, 'other backfill')} of this tenant ${others === 1 ? 'is' : 'are'} under way: what one has filled, the others skip.`,
    );
  return `${lines.join('\n')}\n`;
}

export const NO_WORKER =
  'No worker is running: nothing is filled until one is (npm start, or npm run worker).';

/** How far it is, in a line. */
export function progressText(progress: BackfillAnswer, hasWorker: boolean): string {
  const { intervals, rows, estimatedSecondsLeft, failure } = progress;
  const overlapped = intervals.overlapped > 0 ? `, ${number(intervals.overlapped)} left alone` : '';
  const left = estimatedSecondsLeft === undefined ? '' : `, at least ${duration(estimatedSecondsLeft)} to go`;
  const trouble = failure === undefined ? '' : `; ${failure}`;
  const waits = hasWorker ? '' : '; no worker is running';
  const reads = rows.inserted + rows.updated;
  return `${number(intervals.done)} of ${count(intervals.total, 'interval')}${overlapped}, ${count(reads, 'read')} written${left}${trouble}${waits}`;
}

/** The share of batches that are done, for a bar or in percent. */
export function percentDone({ batches }: BackfillAnswer): number {
  return Math.floor((1000 * batches.done) / batches.total) / 10;
}

/** What came of it, in a sentence or two. */
export function endReport(progress: BackfillAnswer): string {
  const { state, intervals, rows, acceptedAt, finishedAt, failure } = progress;
  const there = `${number(intervals.done)} of ${count(intervals.total, 'interval')} ${intervals.total === 1 ? 'is' : 'are'} there`;
  if (state === 'failed')
    return `The backfill failed${failure === undefined ? '' : `: ${sentence(failure)}`} ${there}; run it again to fill the rest.\n`;
  if (state === 'cancelled') {
    const rest = failure === undefined ? 'Run it again to fill the rest.' : sentence(failure);
    return `The backfill was cancelled: ${there}, and what was begun is still finished. ${rest}\n`;
  }
  const took = finishedAt === null ? '' : ` in ${duration((+finishedAt - +acceptedAt) / 1000)}`;
  const skipped =
    rows.skippedByOutage > 0
      ? ` Outages kept ${count(rows.skippedByOutage, 'read')} from being written.`
      : '';
  return `Done: ${there}. It wrote ${count(rows.inserted + rows.updated, 'read')}${took}.${skipped}${leftAlone(intervals)}\n`;
}

/** Why fewer are there than were asked for, and yet nothing is left to be filled. */
function leftAlone({ overlapped, total }: BackfillAnswer['intervals']): string {
  if (overlapped === 0) return '';
  const who = overlapped === total ? (total === 1 ? 'It' : 'All of them') : `${number(overlapped)} of them`;
  return ` ${who} ${overlapped === 1 ? 'was' : 'were'} left alone: intervals of another length have measured the same time, and its energy would count twice.`;
}

/** What goes on when the command is left. */
export function leftRunningReport(tenantId: string): string {
  return `The backfill goes on without this command. To end it: npm run backfill -- --tenant ${tenantId} --cancel\n`;
}

export function cancelReport(tenantId: string, cancelled: readonly BackfillAnswer[]): string {
  if (cancelled.length === 0) return `Tenant ${tenantId} has no backfill under way.\n`;
  return cancelled
    .map(({ backfillId, intervals }) => {
      const done = `${number(intervals.done)} of ${count(intervals.total, 'interval')} done`;
      return `Cancelled backfill ${backfillId} of ${tenantId}, with ${done}; what was begun is still finished.\n`;
    })
    .join('');
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function count(value: number, what: string): string {
  return `${number(value)} ${what}${value === 1 ? '' : 's'}`;
}

/** `45 s`, `12 min`, `3 h 20 min`. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
