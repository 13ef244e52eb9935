import type { Queryable } from '../db/db.js';
import { feedersOfMeters, unfitForRegistry } from '../registry/registerMeters.js';
import { UNASSIGNED_FEEDER } from '../schema/functions/canonicalReads.js';
import type { SchemaMapping } from '../schema/mapping.js';

/** Which feeder an unknown meter is taken into the registry on. */
export interface Registration {
  feederId: string;
}

/** The meters that a file may be about. */
export interface KnownMeters {
  /** The feeder that a meter's reads count under; undefined of one whose rows are refused. */
  feederOf: (meterId: string) => string | undefined;
  /** Why rows of a meter are refused. */
  whyUnknown: (meterId: string) => string;
  /** The meters that were asked for and found, with their feeders. */
  used: () => ReadonlyMap<string, string>;
  /** Those of them that the registry does not have yet. */
  unregistered: () => ReadonlyMap<string, string>;
}

/** Looks the tenant's registry up once: a meter takes some hundred bytes. */
export async function createKnownMeters(
  client: Queryable,
  { reads, registry }: SchemaMapping,
  tenantId: string,
  register: Registration | undefined,
): Promise<KnownMeters> {
  const inRegistry = await feedersOfMeters(client, registry, tenantId);
  const used = new Map<string, string>();
  const unregistered = new Map<string, string>();
  const find = (meterId: string): string | undefined => {
    const feederId = inRegistry.get(meterId);
    // A customer's table may hold no such text.
    if (feederId !== undefined) return feederId ?? (reads.own ? UNASSIGNED_FEEDER : undefined);
    if (register === undefined || unfitForRegistry(registry, 'meter_id', meterId) !== undefined)
      return undefined;
    unregistered.set(meterId, register.feederId);
    return register.feederId;
  };
  return {
    feederOf(meterId) {
      const before = used.get(meterId);
      if (before !== undefined) return before;
      const found = find(meterId);
      if (found !== undefined) used.set(meterId, found);
      return found;
    },
    whyUnknown(meterId) {
      if (inRegistry.get(meterId) === null)
        return `meter ${meterId} is on no feeder in the registry: put it on one`;
      if (register === undefined)
        return `meter ${meterId} is not in the registry: --register takes it in, as npm run fleet does`;
      return `meter ${meterId} cannot be taken into the registry: its id ${unfitForRegistry(registry, 'meter_id', meterId)}`;
    },
    used: () => used,
    unregistered: () => unregistered,
  };
}
