/**
 * Work that many callers ask for at once, done once for all who come before it ends. So a caller may get what was looked
 * at before it asked, by no more than one run takes; where that must not be, `sharedRuns` has it wait for the next one.
 */
export function joinedRuns<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
