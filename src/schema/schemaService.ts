import { type Database, rethrowUnavailable } from '../db/db.js';
import { listSchemaChanges } from './detect/schemaHistory.js';
import { QUALITY_BITS } from './functions/writeBatch.js';
import { shownRelation } from './identifiers.js';
import type { KpiViewMapping, MappedColumn, RelationName, SchemaMapping } from './mapping.js';

/** The mapping in force, for people: which table and column carries what, and where each part came from. */
export function createSchemaService(database: Database, mapping: SchemaMapping) {
  const answer = schemaAnswer(mapping);
  return {
    /** With what GridLens has added to the customer's tables, oldest first. */
    async mapping() {
      return { ...answer, changes: await listSchemaChanges(database).catch(rethrowUnavailable) };
    },
  };
}

export type SchemaService = ReturnType<typeof createSchemaService>;

function schemaAnswer({ ownSchema, reads, registry, kpiViews }: SchemaMapping) {
  const { meters, feeders } = registry;
  return {
    ownSchema,
    reads: {
      ...table(reads.table, reads.own),
      columns: columns(reads.columns),
      key: { name: reads.key.name, columns: reads.key.columns, source: reads.key.source },
      timesWithoutZoneAre: reads.columns.readAt.kind === 'timestamp' ? 'UTC' : null,
      qualityFlagBits: reads.columns.qualityFlags.kind === 'integer' ? QUALITY_BITS : null,
      feedIn: reads.columns.receivedKwh?.name ?? null,
      filledOnInsert: reads.filled.map(({ name, what }) => ({ column: name, with: what })),
    },
    meters: {
      ...table(meters.table, meters.own),
      columns: columns({
        tenantId: meters.tenantId,
        meterId: meters.meterId,
        feeder: meters.feeder,
        isActive: meters.isActive,
      }),
    },
    feeders: feeders && {
      ...table(feeders.table, feeders.own),
      columns: columns({ tenantId: feeders.tenantId, key: feeders.key, feederId: feeders.feederId }),
      alsoKnownBy: feeders.aliases.map(({ name }) => name),
    },
    kpiViews: Object.fromEntries(Object.entries(kpiViews).map(([name, view]) => [name, viewAnswer(view)])),
  };
}

function table(relation: RelationName, own: boolean) {
  return { table: shownRelation(relation), madeByGridLens: own };
}

function viewAnswer({ view, own, columns: ofView }: KpiViewMapping) {
  return { view: shownRelation(view), madeByGridLens: own, ...(own ? {} : { columns: columns(ofView) }) };
}

/** A meaning that no column carries is null. */
function columns(meanings: Readonly<Record<string, MappedColumn | null>>) {
  const shown = (column: MappedColumn) => ({
    column: column.name,
    type: column.type,
    source: column.source,
  });
  return Object.fromEntries(
    Object.entries(meanings).map(([meaning, column]) => [meaning, column && shown(column)]),
  );
}
