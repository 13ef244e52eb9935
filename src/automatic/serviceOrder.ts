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
 * Intervals under way, the oldest first. Among equally old ones the tenant served least recently comes first, so that
 * no tenant is always the last when there is more to do than the read limit allows.
 */
export function oldestFirst<T extends Waiting>(waiting: readonly T[]): T[] {
  return waiting.toSorted(
    (a, b) => a.readAt.getTime() - b.readAt.getTime() || leastRecentlyServedFirst(a, b),
  );
}

/** Past intervals, the newest first, so that dashboards are fresh at once. Equally new ones are ordered as above. */
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
