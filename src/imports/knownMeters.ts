import type { Queryable } from '../db/db.js';
import { feedersOfMeters, unfitForRegistry } from '../registry/registerMeters.js';
import { UNASSIGNED_FEEDER } from '../schema/functions/canonicalReads.js';
import type { SchemaMapping } from '../schema/mapping.js';

/** Which feeder an unknown meter is taken into the registry on: the one that its row names, else `feederId`. */
export interface Registration {
  feederId: string | undefined;
}

/** The meters that a file may be about. */
export interface KnownMeters {
  /** The feeder that a meter's reads count under; undefined of a row that is refused. `named` is what the row names. */
  feederOf: (meterId: string, named?: string) => string | undefined;
  /** Why a row of a meter is refused. */
  whyUnknown: (meterId: string, named?: string) => string;
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
  const unfit = (column: 'meter_id' | 'feeder_id', id: string) => unfitForRegistry(registry, column, id);
  const find = (meterId: string, named: string | undefined): string | undefined => {
    const feederId = inRegistry.get(meterId);
    // A customer's table may hold no such text.
    if (feederId !== undefined) return feederId ?? (reads.own ? UNASSIGNED_FEEDER : undefined);
    const taken = register && (named ?? register.feederId);
    if (taken === undefined || (unfit('meter_id', meterId) ?? unfit('feeder_id', taken)) !== undefined)
      return undefined;
    unregistered.set(meterId, taken);
    return taken;
  };
  return {
    feederOf(meterId, named) {
      const before = used.get(meterId);
      if (before === undefined) {
        const found = find(meterId, named);
        if (found !== undefined) used.set(meterId, found);
        return found;
      }
      // Whoever moves a meter says so in the registry: one file that has it on two feeders contradicts itself.
      if (named !== undefined && named !== before && unregistered.has(meterId)) return undefined;
      return before;
    },
    whyUnknown(meterId, named) {
      if (inRegistry.get(meterId) === null)
        return `meter ${meterId} is on no feeder in the registry: put it on one`;
      if (register === undefined)
        return `meter ${meterId} is not in the registry: --register takes it in, as npm run fleet does`;
      const before = unregistered.get(meterId);
      if (before !== undefined)
        return `meter ${meterId} is new, and on feeder ${before} in the rows above, but on ${named} here: leave the right one in the file`;
      const problem = unfit('meter_id', meterId);
      if (problem !== undefined)
        return `meter ${meterId} cannot be taken into the registry: its id ${problem}`;
      const taken = named ?? register.feederId;
      if (taken === undefined)
        return `meter ${meterId} is not in the registry, and the row names no feeder: name one there, or by --feeder for all such rows`;
      return `meter ${meterId} cannot be taken into the registry: its feeder ${taken} ${unfit('feeder_id', taken)}`;
    },
    used: () => used,
    unregistered: () => unregistered,
  };
}
