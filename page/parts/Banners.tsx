import { trouble } from '../data/connection.js';
import { dismiss, notices } from '../data/notices.js';
import { useStore } from '../data/store.js';
import { Instant } from './Time.js';

/** What keeps the page from being true: polls that fail, figures that are old. */
export function Banners({ old }: { old: string | null }) {
  const failing = useStore(trouble);
  return (
    <div role="status" class="banners">
      {failing && (
        <p class="banner bad">
          <strong>
            Not up to date since <Instant at={failing.since} as="time" />.
          </strong>{' '}
          {failing.message} What you see is what was there before; the page goes on trying.
        </p>
      )}
      {!failing && old && (
        <p class="banner warn">
          <strong>Old data.</strong> {old}. Is a worker running?{' '}
          <a href="/readyz?require=worker">Readiness</a> says what is wrong.
        </p>
      )}
    </div>
  );
}

const SIGNS = { done: '✓', 'under-way': '…', failed: '!' } as const;

export function Notices() {
  const shown = useStore(notices);
  return (
    <ul class="notices" aria-live="polite" aria-label="What was done">
      {shown.map(({ id, kind, text }) => (
        <li key={id} class={kind}>
          <span aria-hidden="true">{SIGNS[kind]}</span>
          <p>{text}</p>
          <button type="button" class="icon" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
