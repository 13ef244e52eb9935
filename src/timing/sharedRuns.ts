/**
 * Work that many ask for at once, done for all of them together. A caller never gets what was begun before it asked:
 * those who come while it is under way share the next run, so each sees everything that was there when it asked.
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
