import type { AutoConfig } from '../../src/automatic/autoConfig.js';
import type { Database } from '../../src/db/db.js';

/** What the model's Postgres knows of a tenant's intervals. */
export interface ModelTenant {
  config: AutoConfig;
  lastServedAt: number | null;
  /** Intervals that nothing was accepted for, by their start, with when a tick came for them. */
  open: Map<number, number | null>;
  /** Those of them that are noted as owed. */
  owed: Set<number>;
  /** Up to where `open` knows them. */
  seenUntil: number;
}

interface Query {
  name?: string;
  text: string;
  values?: unknown[];
}

/**
 * Stands in for the Postgres that the dispatch asks, so that two days of passes take seconds: it knows the few statements
 * that those need, and throws at any other.
 */
export function createModelDatabase(tenants: ReadonlyMap<string, ModelTenant>, now: () => number): Database {
  // Made once: no setting changes, and two days of passes ask for them a hundred thousand times.
  const rows = new Map(
    [...tenants].map(([id, { config }]) => {
      const { replay, ...others } = config;
      return [id, { ...others, replay_from: replay }];
    }),
  );
  const waiting = ([ids, firsts, , , earliests]: [string[], Date[], Date[], number[], Date[]]) =>
    ids.flatMap((tenantId, index) => {
      const { open, owed, lastServedAt } = tenants.get(tenantId) as ModelTenant;
      const first = (firsts[index] as Date).getTime();
      const earliest = (earliests[index] as Date).getTime();
      return [...open].flatMap(([slot, claimedAt]) =>
        slot < (owed.has(slot) ? earliest : first)
          ? []
          : {
              tenantId,
              readAt: new Date(slot),
              isNoted: owed.has(slot),
              claimedAt: claimedAt === null ? null : new Date(claimedAt),
              attempts: 0,
              nextTryAt: null,
              failure: null,
              lastServedAt: lastServedAt === null ? null : new Date(lastServedAt),
            },
      );
    });
  const claim = (tenantId: string, slot: Date): void => {
    const { open } = tenants.get(tenantId) as ModelTenant;
    if (open.get(slot.getTime()) === null) open.set(slot.getTime(), now());
  };
  const note = ([ids, slots]: [string[], Date[]]): void => {
    for (const [index, tenantId] of ids.entries())
      tenants.get(tenantId)?.owed.add((slots[index] as Date).getTime());
  };
  const answer = ({ name, text, values = [] }: Query): unknown[] => {
    if (name === 'enabled-auto-configs') return [...rows.values()];
    if (name === 'find-auto-config') return [rows.get(values[0] as string)];
    if (name === 'waiting-intervals') return waiting(values as Parameters<typeof waiting>[0]);
    if (name === 'note-owed') {
      note(values as [string[], Date[]]);
      return [];
    }
    if (text.includes('pg_try_advisory_xact_lock')) return [{ isOurs: true }];
    if (text.startsWith('INSERT INTO ami_ticks')) claim(values[0] as string, values[1] as Date);
    else if (!/^(BEGIN|COMMIT|SELECT set_config|SELECT$)/.test(text))
      throw new Error(`the simulation's Postgres does not know: ${text}`);
    return [];
  };
  const query = async (asked: string | Query, values?: unknown[]) => ({
    rows: answer(typeof asked === 'string' ? { text: asked, values: values ?? [] } : asked),
  });
  const client = { query, on: () => undefined, off: () => undefined, release: () => undefined };
  return { query, connect: async () => client } as unknown as Database;
}
