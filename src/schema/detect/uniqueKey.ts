import type { ReadsMapping } from '../mapping.js';
import type { CatalogRelation } from './catalog.js';
import { noKeyPossible, oneReadAMeter, severalRows } from './refusals.js';
import type { Repair } from './repairs.js';

const OWN_KEY = 'ami_reads_key';

export interface FoundKey {
  key: ReadsMapping['key'];
  repair?: Repair;
  problem?: string;
}

/** A key over (tenant, meter, time), or over (meter, time), which implies it; else one is to be added. */
export function readsKey(
  table: CatalogRelation,
  { tenantId, meterId, feederId, readAt }: ReadsMapping['columns'],
): FoundKey {
  const columns = [tenantId.name, meterId.name, readAt.name];
  for (const wanted of [columns, [meterId.name, readAt.name]]) {
    const found = table.uniqueKeys.find(
      (key) => key.columns.length === wanted.length && wanted.every((name) => key.columns.includes(name)),
    );
    if (!found) continue;
    const source = found.name === OWN_KEY ? 'added' : 'existing';
    return { key: { name: found.name, columns: found.columns, source } };
  }
  const key = { name: OWN_KEY, columns, source: 'added' } as const;
  const known = [...columns, feederId.name];
  // What tells rows apart beyond meter and time: a channel, a version. A key without it would forbid them.
  const wider = table.uniqueColumns.find(
    (names) =>
      names.includes(meterId.name) &&
      names.includes(readAt.name) &&
      names.some((name) => !known.includes(name)),
  );
  if (wider) return { key, problem: severalRows(table, wider.find((name) => !known.includes(name)) ?? '') };
  const narrower = table.uniqueKeys.find(
    (unique) =>
      unique.columns.includes(meterId.name) &&
      unique.columns.every((name) => known.includes(name) && name !== readAt.name),
  );
  if (narrower) return { key, problem: oneReadAMeter(table, narrower.name) };
  const outside = table.partitionKey.find((column) => !columns.includes(column));
  if (outside !== undefined) return { key, problem: noKeyPossible(table, outside) };
  return {
    key,
    repair: {
      kind: 'add unique key',
      table: { schema: table.schema, name: table.name },
      name: OWN_KEY,
      columns,
      reason: 'nothing keeps a read from being there twice',
    },
  };
}
