import { count, duration } from '../core/format.js';
import type { Backfill } from '../data/types.js';
import { Instant } from './Time.js';

/** How far a backfill is, with the time that is left at the least. */
export function BackfillBar({ backfill, cancel }: { backfill: Backfill; cancel?: () => void }) {
  const { from, to, state, batches, intervals, estimatedSecondsLeft, failure } = backfill;
  const isOpen = state === 'running' || state === 'queued';
  const { done, total } = intervals;
  return (
    <div class={`backfill ${state}`}>
      <p>
        <b>{isOpen ? 'Filling in' : 'Backfill'}</b> <Instant at={from} /> – <Instant at={to} />
        <span class="quiet">
          {' '}
          {count(backfill.meterCount)} meters · {count(done)} of {count(total)} intervals ·{' '}
          {isOpen && estimatedSecondsLeft !== undefined
            ? `at least ${duration(estimatedSecondsLeft)} left`
            : STATE_WORDS[state]}
          {batches.failed > 0 && ` · ${count(batches.failed)} batches failed`}
          {failure && ` · ${failure}`}
        </span>
      </p>
      {isOpen && (
        <progress value={total === 0 ? 0 : done / total} max={1} aria-label="Intervals filled in">
          {done} of {total}
        </progress>
      )}
      {isOpen && cancel && (
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      )}
    </div>
  );
}

const STATE_WORDS: Record<Backfill['state'], string> = {
  queued: 'waits for its turn',
  running: 'under way',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};
