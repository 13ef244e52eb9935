/**
 * Work that many callers ask for at once, done for all of them together. Callers that come during a run share the next
 * run, never the one under way. So each caller sees everything that was there when it asked.
 */
export function sharedRuns<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  const waiting = new Map<string, Promise<T>>();
  const start = (key: string): Promise<T> => {
    const run = work(key).finally(() => {
      if (running.get(key) === run) running.delete(key);
    });
    running.set(key, run);
    return run;
  };
  const startNext = (key: string): Promise<T> => {
    waiting.delete(key);
    return start(key);
  };
  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    const next =
      waiting.get(key) ??
      current.then(
        () => startNext(key),
        () => startNext(key),
      );
    waiting.set(key, next);
    return next;
  };
}
