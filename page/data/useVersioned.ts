import { useEffect, useRef } from 'preact/hooks';
import { type Polled, usePolled } from './usePolled.js';

/** What follows the key figures is not asked for more often than this, however fast they change. */
const LEAST_PAUSE_MS = 3_000;
/** And now and then anyway: old intervals change without a trace in the key figures, for example by a backfill. */
const ANYWAY_MS = 30_000;

/** As `usePolled`, and again soon after `version` has changed. */
export function useVersioned<T>(
  key: string | null,
  version: string,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs = ANYWAY_MS,
): Polled<T> {
  const polled = usePolled(key, load, everyMs);
  const seen = useRef({ key, version, at: Date.now() });
  const { refresh } = polled;
  useEffect(() => {
    const before = seen.current;
    if (before.key !== key || before.version === '') {
      seen.current = { key, version, at: Date.now() };
      return;
    }
    if (before.version === version) return;
    const wait = Math.max(0, before.at + LEAST_PAUSE_MS - Date.now());
    const timer = setTimeout(() => {
      seen.current = { key, version, at: Date.now() };
      refresh();
    }, wait);
    return () => clearTimeout(timer);
  }, [key, version, refresh]);
  return polled;
}
