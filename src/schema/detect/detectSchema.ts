import type { Queryable } from '../../db/db.js';
import { FOLD_TRIGGERS } from '../functions/foldTriggers.js';
import { quoted, quotedRelation, shownRelation } from '../identifiers.js';
import {
  KPI_VIEWS,
  type KpiViewName,
  type ReadsMapping,
  relationKey,
  type SchemaMapping,
} from '../mapping.js';
import { type Catalog, type CatalogRelation, normalised } from './catalog.js';
import { columnByName, mapped } from './columns.js';
import { detectReads, ID_KINDS } from './detectReads.js';
import { detectRegistry } from './detectRegistry.js';
import { FEEDER_OWN_NAMES, METER_NAMES, METER_OWN_NAMES, TABLE_NAMES } from './knownNames.js';
import { mapKpiView } from './kpiViewColumns.js';
import { ownMapping } from './ownMapping.js';
import { missingPrivileges } from './privileges.js';
import { readCatalog } from './readCatalog.js';
import type { Repair } from './repairs.js';
import { type Adoption, readSchemaHistory, type SchemaHistory } from './schemaHistory.js';

/** What start-up finds: where everything is, and what is to be added for it. */
export interface Detection {
  mapping: SchemaMapping;
  repairs: Repair[];
  /** Registry tables that nobody has made yet. */
  create: ('feeders' | 'meters')[];
  /** Who asks, and whether it may create anything in `mapping.ownSchema`. */
  role: string;
  mayCreate: boolean;
  /** Of a customer's table of reads, and whether it is another than the rollups were counted by. */
  adoption: Adoption | undefined;
  recount: boolean;
}

export interface Detected {
  /** Undefined where there is a problem. */
  detection?: Detection;
  /** One sentence each, with the statement that mends it. */
  problems: string[];
}

const LOOKED_FOR = [...Object.values(TABLE_NAMES).flat(), ...KPI_VIEWS.map(normalised)];

/** Looks at the catalog; changes nothing. */
export async function detectSchema(client: Queryable, defaultTenantId: string): Promise<Detected> {
  const catalog = await readCatalog(client, LOOKED_FOR);
  // After the catalog: what another process commits in between must not look like a customer's table.
  return detect(catalog, await readSchemaHistory(client), defaultTenantId);
}

/** The same from a catalog that has been read; pure. */
export function detect(catalog: Catalog, history: SchemaHistory, defaultTenantId: string): Detected {
  const problems = closedSchemas(catalog);
  const { ownSchema } = catalog;
  if (ownSchema === null)
    problems.push(
      `No schema on the search_path of role ${catalog.role} is there for GridLens's tables: CREATE SCHEMA gridlens AUTHORIZATION CURRENT_USER; ALTER ROLE CURRENT_USER SET search_path = gridlens, public;`,
    );
  if (catalog.migratedSchema !== null && catalog.migratedSchema !== ownSchema)
    problems.push(
      `GridLens's tables are in schema ${catalog.migratedSchema}, and the first schema of the search_path of role ${catalog.role} is another: ALTER ROLE ${quoted(catalog.role)} SET search_path = ${quoted(catalog.migratedSchema)}, ${quoted(ownSchema ?? 'public')};`,
    );
  if (problems.length > 0 || ownSchema === null) return { problems };

  const found = (names: readonly string[], isMeant = (_: CatalogRelation): boolean => true) =>
    choose(catalog.relations.filter(isMeant), names, () => false, problems);
  const made = (relation: CatalogRelation): boolean => history.created.has(relationKey(relation));
  const isMade =
    (name: string) =>
    (relation: CatalogRelation): boolean =>
      relation.name === name && made(relation);
  const ours = ownMapping(ownSchema);

  // A registry that GridLens made stays in use whatever comes beside it.
  const meters = catalog.relations.find(isMade('meters')) ?? found(TABLE_NAMES.meters, identifiesMeters);
  const feeders = catalog.relations.find(isMade('feeders')) ?? found(TABLE_NAMES.feeders, identifiesFeeders);
  const readsTable = history.readsAreOurs ? undefined : found(TABLE_NAMES.reads);
  problems.push(...movedReads(readsTable, history));
  for (const name of readsTable?.disabledTriggers ?? [])
    problems.push(
      `Trigger ${name} of ${shownRelation(readsTable as CatalogRelation)}, which keeps the KPIs, is disabled: ALTER TABLE ${quotedRelation(readsTable as CatalogRelation)} ENABLE TRIGGER ${name}; then CALL ami_rebuild_rollups() counts what was missed.`,
    );
  const reads = readsTable
    ? detectReads(readsTable, {
        defaultTenantId,
        meters,
        feeders,
        added: history.addedColumns(readsTable),
        pinned: history.adoption?.columns ?? {},
      })
    : { mapping: ours.reads, repairs: [], problems: [] };
  problems.push(...reads.problems);
  if (!reads.mapping) return { problems };

  const registry = detectRegistry({
    ownSchema,
    meters: meters && !made(meters) ? meters : undefined,
    feeders: feeders && !made(feeders) ? feeders : undefined,
    readsTable,
    reads: reads.mapping.columns,
    added: meters ? history.addedColumns(meters) : new Set(),
  });
  problems.push(...registry.problems);
  if (!registry.mapping || problems.length > 0) return { problems };

  const views = Object.fromEntries(
    KPI_VIEWS.map((name) => [name, kpiView(catalog, name, ownSchema, problems)]),
  );
  const mapping: SchemaMapping = {
    ownSchema,
    reads: reads.mapping,
    registry: registry.mapping,
    kpiViews: views as SchemaMapping['kpiViews'],
  };
  const repairs = [...reads.repairs, ...registry.repairs];
  problems.push(...missingPrivileges(catalog, mapping, repairs));
  if (problems.length > 0) return { problems };
  const create: Detection['create'] = [];
  // Meters that name their feeder themselves need no table of feeders.
  if (!feeders && registry.mapping.feeders?.own) create.push('feeders');
  if (!meters) create.push('meters');
  const { role, mayCreate } = catalog;
  const adoption = readsTable && adoptionOf(readsTable, reads.mapping);
  const recount = JSON.stringify(adoption) !== JSON.stringify(history.adoption);
  return { detection: { mapping, repairs, create, role, mayCreate, adoption, recount }, problems };
}

/** Race circuits and gas meters' makers are in tables too: one is meant where a column identifies what it should hold. */
function identifiesMeters(relation: CatalogRelation): boolean {
  const names = [...METER_NAMES, ...METER_OWN_NAMES];
  return columnByName(relation, { names, kinds: ID_KINDS }) !== undefined;
}

function identifiesFeeders(relation: CatalogRelation): boolean {
  return columnByName(relation, { names: FEEDER_OWN_NAMES, kinds: ID_KINDS }) !== undefined;
}

function adoptionOf({ oid }: CatalogRelation, { columns }: ReadsMapping): Adoption {
  const pins = Object.entries(columns).flatMap(([meaning, column]) =>
    column ? [[meaning, { name: column.name, kind: column.kind, source: column.source }]] : [],
  );
  return { oid, columns: Object.fromEntries(pins) };
}

/** A table of reads that is not the adopted one, while that is still there or nothing else is. */
function movedReads(
  readsTable: CatalogRelation | undefined,
  { adoption, triggersAt }: SchemaHistory,
): string[] {
  if (!adoption || readsTable?.oid === adoption.oid) return [];
  if (triggersAt !== undefined) {
    const drop = FOLD_TRIGGERS.map(({ name }) => `DROP TRIGGER ${name} ON ${triggersAt};`).join(' ');
    const other = readsTable ? `${shownRelation(readsTable)} has taken its name` : 'its name is another';
    return [
      `The adopted table of reads is called ${triggersAt} now, and ${other}: give the name back, or part with the table: ${drop}`,
    ];
  }
  if (readsTable) return [];
  return [
    'The table of reads that GridLens has adopted is not on the search_path any more: put it back, or give GridLens a database of its own in DATABASE_URL.',
  ];
}

/**
 * Of the relations that go by one of the names: a customer's before ours, the names in their order, then the exact
 * name before one that only differs in case or underscores, then the search path's order.
 */
function choose(
  relations: readonly CatalogRelation[],
  names: readonly string[],
  isOurs: (relation: CatalogRelation) => boolean,
  problems: string[],
): CatalogRelation | undefined {
  const ranked = relations
    .filter(({ name }) => names.includes(normalised(name)))
    .map((relation, place) => ({
      relation,
      rank: [
        isOurs(relation) ? 1 : 0,
        names.indexOf(normalised(relation.name)),
        /^[a-z0-9_]+$/.test(relation.name) ? 0 : 1,
        place,
      ],
    }))
    .sort((a, b) => compare(a.rank, b.rank));
  const [best, next] = ranked;
  if (
    best &&
    next &&
    compare(best.rank.slice(0, 3), next.rank.slice(0, 3)) === 0 &&
    best.relation.schema === next.relation.schema
  )
    problems.push(
      `${shownRelation(best.relation)} and ${shownRelation(next.relation)} could both be meant by ${names[0]}: rename the one that is not, for example ALTER TABLE ${quotedRelation(next.relation)} RENAME TO ${quoted(`${next.relation.name}_old`)};`,
    );
  return best?.relation;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place < 0 ? 0 : (a[place] as number) - (b[place] as number);
}

function closedSchemas({ closedSchemas, role }: Catalog): string[] {
  return closedSchemas.map(
    (schema) =>
      `Role ${role} may not look into schema ${schema}, which is on its search_path: GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${quoted(role)};`,
  );
}

/** A view of a customer's, or the one that GridLens makes, or is about to. */
function kpiView(
  catalog: Catalog,
  name: KpiViewName,
  ownSchema: string,
  problems: string[],
): SchemaMapping['kpiViews'][KpiViewName] {
  const relation = choose(catalog.relations, [normalised(name)], isOurView, problems);
  const isOurs = !relation || isOurView(relation);
  const columns = relation ? relation.columns.map((column) => mapped(column, 'known name')) : [];
  return {
    view: relation ? { schema: relation.schema, name: relation.name } : { schema: ownSchema, name },
    own: isOurs,
    columns: isOurs ? {} : mapKpiView(columns, name),
  };
}

/** Our views read our rollups, and nobody else's do by these names. */
function isOurView({ kind, definition }: CatalogRelation): boolean {
  return kind === 'view' && /\bami_(feeder_days|feeder_completeness|meter_anomalies)\b/.test(definition);
}
