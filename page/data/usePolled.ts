import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { reasonOf } from '../core/reason.js';
import { ApiFailure, NoKeyGiven } from './api.js';
import { reportFailure, reportSuccess } from './connection.js';

export interface Polled<T> {
  /** The latest answer; kept while later ones fail, so that nobody looks at a blank. */
  data: T | null;
  /** Why the last request failed; null when it did not. */
  error: string | null;
  refresh(): void;
}

/** A poll that failed is repeated later and later, up to this. */
const LONGEST_PAUSE_MS = 30_000;

/**
 * Asks at once, whenever `key` changes, and every `everyMs` from the last answer on; not while the tab is hidden.
 *
 * @param key what is asked for, as text; null asks for nothing. Another one drops the data.
 * @param everyMs null asks once a key.
 */
export function usePolled<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs: number | null,
): Polled<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; error: string | null }>({
    key,
    data: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef({ load, everyMs });
  latest.current = { load, everyMs };
  useEffect(() => {
    if (key === null) return;
    const stopping = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const run = async (): Promise<void> => {
      timer = undefined;
      let pause = latest.current.everyMs;
      try {
        const data = await latest.current.load(stopping.signal);
        if (stopping.signal.aborted) return;
        failures = 0;
        reportSuccess(key);
        setState({ key, data, error: null });
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures += 1;
        const message = reasonOf(error);
        // A read that needs a key which nobody gives is no failure of the way to the API; asking again would nag.
        if (error instanceof NoKeyGiven) pause = null;
        else {
          reportFailure(key, message);
          const asked = error instanceof ApiFailure ? error.retryAfterMs : null;
          pause = asked ?? Math.min((pause ?? 5_000) * 2 ** (failures - 1), LONGEST_PAUSE_MS);
        }
        setState((before) => ({ key, data: before.key === key ? before.data : null, error: message }));
      }
      if (pause !== null) timer = setTimeout(next, pause);
    };
    const next = (): void => {
      if (!document.hidden) void run();
      else timer = undefined;
    };
    const onVisible = (): void => {
      if (!document.hidden && timer === undefined && latest.current.everyMs !== null) void run();
    };
    document.addEventListener('visibilitychange', onVisible);
    void run();
    return () => {
      stopping.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
      reportSuccess(key);
    };
  }, [key, turn]);

  const refresh = useCallback(() => setTurn((one) => one + 1), []);
  return state.key === key
    ? { data: state.data, error: state.error, refresh }
    : { data: null, error: null, refresh };
}
