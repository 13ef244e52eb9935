import type { SchemaMapping } from '../../../src/schema/mapping.js';
import type { ExistingCase } from './existingCase.js';

/** The names alone of what carries what, of the mapping in force or of what a case expects. */
export function foundMapping(of: SchemaMapping | ExistingCase) {
  if ('file' in of) {
    const { columns, filled = [], key, meters, feeders, ownViews = [] } = of;
    return { columns, filled, key, meters, feeders, ownViews: [...ownViews].sort() };
  }
  const { reads, registry, kpiViews } = of;
  const { meters, feeders } = registry;
  return {
    columns: Object.fromEntries(
      // What is fed in only where a case has a column for it.
      Object.entries(reads.columns)
        .filter(([meaning, column]) => meaning !== 'receivedKwh' || column !== null)
        .map(([meaning, column]) => [meaning, column?.name ?? null]),
    ),
    filled: reads.filled.map(({ name }) => name),
    key: { name: reads.key.name, columns: reads.key.columns },
    meters: meters.own
      ? 'own'
      : {
          table: meters.table.name,
          tenantId: meters.tenantId?.name ?? null,
          meterId: meters.meterId.name,
          feeder: meters.feeder.name,
          ...(meters.isActive ? { isActive: meters.isActive.name } : {}),
        },
    feeders:
      feeders === null
        ? null
        : feeders.own
          ? 'own'
          : { table: feeders.table.name, key: feeders.key.name, feederId: feeders.feederId.name },
    ownViews: Object.entries(kpiViews)
      .filter(([, { own }]) => !own)
      .map(([name]) => name)
      .sort(),
  };
}
