/** An interval that waits to be published. */
export interface Waiting {
  tenantId: string;
  readAt: Date;
  /** When a tick came for it; null when none has. */
  claimedAt: Date | null;
  /** When the tenant last had a publish accepted; null for none. */
  lastServedAt: Date | null;
}

/**
 * Intervals under way, in the order of their age; of equally old ones first the tenant that was served least recently,
 * so that where there is more to do than the read limit allows none is always the last.
 */
export function oldestFirst<T extends Waiting>(waiting: readonly T[]): T[] {
  return waiting.toSorted(
    (a, b) => a.readAt.getTime() - b.readAt.getTime() || leastRecentlyServedFirst(a, b),
  );
}

/** Past intervals, the newest first, so that what a dashboard shows is fresh at once; of equally new ones as above. */
export function newestFirst<T extends Waiting>(waiting: readonly T[]): T[] {
  return waiting.toSorted(
    (a, b) => b.readAt.getTime() - a.readAt.getTime() || leastRecentlyServedFirst(a, b),
  );
}

function leastRecentlyServedFirst(a: Waiting, b: Waiting): number {
  return (
    timeOf(a.lastServedAt) - timeOf(b.lastServedAt) ||
    timeOf(a.claimedAt) - timeOf(b.claimedAt) ||
    (a.tenantId < b.tenantId ? -1 : 1)
  );
}

function timeOf(instant: Date | null): number {
  return instant?.getTime() ?? 0;
}
