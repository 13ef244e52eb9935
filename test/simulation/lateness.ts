import { MINUTE_MS, type Simulated } from './simulate.js';

/** How late after their boundary intervals were whole, s. */
export interface Lateness {
  first: number;
  median: number;
  last: number;
  /** The tenants' own means: the luckiest and the unluckiest. */
  luckiest: number;
  unluckiest: number;
  /** How many intervals the tenant with the fewest got, and the one with the most. */
  fewest: number;
  most: number;
}

export const latenessSeconds = ({ readAt, completedAt }: Simulated['written'][number]): number =>
  (completedAt - readAt) / 1000;

export function groupedBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

export function latenessOf(written: Simulated['written']): Lateness {
  const sorted = written.map(latenessSeconds).sort((a, b) => a - b);
  const tenants = [...groupedBy(written, ({ tenantId }) => tenantId).values()];
  const means = tenants.map(
    (own) => own.reduce((sum, interval) => sum + latenessSeconds(interval), 0) / own.length,
  );
  const counts = tenants.map((own) => own.length);
  return {
    first: sorted[0] as number,
    median: sorted[Math.floor(sorted.length / 2)] as number,
    last: sorted.at(-1) as number,
    luckiest: Math.min(...means),
    unluckiest: Math.max(...means),
    fewest: Math.min(...counts),
    most: Math.max(...counts),
  };
}

/** Intervals that were not whole before the tenant's next one began. */
export function overdue({ written }: Simulated, intervalMinutes: (tenantId: string) => number) {
  return written.filter(
    ({ tenantId, readAt, completedAt }) => completedAt >= readAt + intervalMinutes(tenantId) * MINUTE_MS,
  );
}
