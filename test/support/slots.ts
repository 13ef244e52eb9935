import type pg from 'pg';
import { plus, QUARTER_MS, quarters } from './testClock.js';
import { waitFor } from './waitFor.js';

/** One interval of a tenant: what the ledger says of it, revisions aside. */
export interface Slot {
  readAt: string;
  publishes: number;
  origins: string[];
  /** Batches not done. */
  open: number;
  inserted: number;
  duplicate: number;
}

/** A tenant's intervals, the earliest first. */
export async function slotsOf(pool: pg.Pool, tenantId: string): Promise<Slot[]> {
  const { rows } = await pool.query<Slot & { readAt: Date | string }>(
    `SELECT publish.read_at AS "readAt", count(DISTINCT publish_id)::integer AS publishes,
           array_agg(DISTINCT origin) AS origins, count(*) FILTER (WHERE state <> 'done')::integer AS open,
           coalesce(sum(inserted), 0)::integer AS inserted, coalesce(sum(duplicate), 0)::integer AS duplicate
         FROM ami_publishes publish JOIN ami_publish_batches USING (publish_id)
         WHERE publish.tenant_id = $1 AND origin <> 'revision' GROUP BY publish.read_at ORDER BY 1`,
    [tenantId],
  );
  return rows.map((row) => ({ ...row, readAt: new Date(row.readAt).toISOString() }));
}

/** How many reads a tenant has in each interval that has any. */
export async function readsOf(pool: pg.Pool, tenantId: string): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ readAt: Date | string; reads: number }>(
    `SELECT read_at AS "readAt", count(*)::integer AS reads FROM meter_reads_electric
     WHERE tenant_id = $1 GROUP BY read_at`,
    [tenantId],
  );
  return new Map(rows.map(({ readAt, reads }) => [new Date(readAt).toISOString(), reads]));
}

type WithSlots = {
  slots(tenantId: string): Promise<Slot[]>;
  reads(tenantId: string): Promise<Map<string, number>>;
};

/** Waits until a tenant has exactly these intervals, each published once, of `meters` reads, none written twice. */
export async function waitForWhole(
  deployment: WithSlots,
  tenantId: string,
  wanted: readonly string[],
  meters: number,
  timeoutMs = 180_000,
): Promise<Slot[]> {
  const what = `${wanted.length} whole intervals of ${tenantId}`;
  return waitForSlots(deployment, tenantId, { what, wantedOf: () => wanted, meters, timeoutMs });
}

/**
 * Waits until a tenant has `atLeast` intervals up to `last` without a gap, each published once, of `meters` reads, none
 * written twice. How far back they begin is looked up anew each time: what is owed further back is published last.
 */
export async function waitForUnbroken(
  deployment: WithSlots,
  tenantId: string,
  { last, atLeast, meters }: { last: Date; atLeast: number; meters: number },
): Promise<Slot[]> {
  const shortest = quarters(plus(last, -(atLeast - 1) * QUARTER_MS), last);
  const wantedOf = ([first]: Slot[]) => {
    const found = first === undefined ? [] : quarters(new Date(first.readAt), last);
    return found.length > shortest.length ? found : shortest;
  };
  const what = `${atLeast} or more intervals of ${tenantId} up to ${last.toISOString()}`;
  return waitForSlots(deployment, tenantId, { what, wantedOf, meters, timeoutMs: 180_000 });
}

interface Wanted {
  what: string;
  /** The intervals that there must be, given those that there are. */
  wantedOf: (seen: Slot[]) => readonly string[];
  meters: number;
  timeoutMs: number;
}

async function waitForSlots(
  deployment: WithSlots,
  tenantId: string,
  { what, wantedOf, meters, timeoutMs }: Wanted,
): Promise<Slot[]> {
  let seen: Slot[] = [];
  let counted = new Map<string, number>();
  return waitFor(
    what,
    async () => {
      seen = await deployment.slots(tenantId);
      const wanted = wantedOf(seen);
      for (const slot of seen) requireNothingTwice(tenantId, slot, wanted, meters);
      if (seen.length !== wanted.length || seen.some((slot) => slot.open > 0)) return false;
      // Counted only now: 200,000 reads, counted at each look, took more of the machine than writing them.
      counted = await deployment.reads(tenantId);
      for (const [readAt, reads] of counted)
        if (reads > meters) throw new Error(`${tenantId}: not once, ${reads} reads at ${readAt}`);
      const isWhole =
        counted.size === wanted.length && wanted.every((readAt) => counted.get(readAt) === meters);
      return isWhole && seen;
    },
    timeoutMs,
  ).catch((error: Error) => {
    throw new Error(
      `${error.message}; there was ${JSON.stringify(seen)}, with reads ${JSON.stringify([...counted])}`,
    );
  });
}

function requireNothingTwice(tenantId: string, slot: Slot, wanted: readonly string[], meters: number): void {
  const { readAt, publishes, duplicate, inserted } = slot;
  if (!wanted.includes(readAt) || publishes !== 1 || duplicate > 0 || inserted > meters)
    throw new Error(`${tenantId}: not once ${JSON.stringify(slot)}, wanted ${wanted.join(' ')}`);
}
