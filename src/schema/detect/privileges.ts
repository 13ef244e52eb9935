import { triggerStatements } from '../functions/foldTriggers.js';
import { quoted, quotedRelation, shownRelation } from '../identifiers.js';
import { type RelationName, relationKey, type SchemaMapping } from '../mapping.js';
import type { Catalog, CatalogRelation } from './catalog.js';
import { type Repair, repairStatement } from './repairs.js';

/**
 * What the role lacks on the customer's tables and views, one sentence a relation with the statement that grants it;
 * pure. What concerns GridLens's own tables is `ownPrivileges`'s.
 */
export function missingPrivileges(
  catalog: Catalog,
  mapping: SchemaMapping,
  repairs: readonly Repair[],
): string[] {
  const relation = (name: RelationName): CatalogRelation | undefined =>
    catalog.relations.find((one) => relationKey(one) === relationKey(name));
  const { reads, registry, kpiViews } = mapping;
  const problems: string[] = [];
  const need = (name: RelationName, rights: readonly Right[], what: string): void => {
    const found = relation(name);
    const lacking = rights.filter((right) => found && !found.may[right]);
    if (lacking.length === 0) return;
    const list = lacking.map((right) => right.toUpperCase()).join(', ');
    problems.push(
      `Role ${catalog.role} lacks ${list} on ${shownRelation(name)}, ${what}: GRANT ${list} ON ${quotedRelation(name)} TO ${quoted(catalog.role)};`,
    );
  };
  const needEveryRow = (name: RelationName, consequence: string): void => {
    if (!relation(name)?.hidesRows) return;
    problems.push(
      `Row-level security hides rows of ${shownRelation(name)} from role ${catalog.role}, ${consequence}: CREATE POLICY gridlens ON ${quotedRelation(name)} TO ${quoted(catalog.role)} USING (true) WITH CHECK (true);`,
    );
  };
  const table = relation(reads.table);
  if (!reads.own) {
    need(reads.table, ['select', 'insert', 'update'], 'which reads are written to');
    if (triggerStatements(reads.table, table?.triggers ?? []).length > 0)
      need(reads.table, ['trigger'], 'whose triggers keep the KPIs');
    needEveryRow(reads.table, 'so that KPIs would be wrong');
    for (const sequence of table?.closedSequences ?? [])
      problems.push(
        `Role ${catalog.role} may not draw from sequence ${sequence}, which fills a column of ${shownRelation(reads.table)}: GRANT USAGE ON SEQUENCE ${sequence} TO ${quoted(catalog.role)};`,
      );
  }
  for (const table of [registry.meters, registry.feeders])
    if (table && !table.own) {
      need(table.table, ['select'], 'which the registry fleet is read from');
      needEveryRow(table.table, 'so that meters would be left out');
    }
  for (const { own, view } of Object.values(kpiViews))
    if (!own) need(view, ['select'], 'which quickcheck shows');
  for (const repair of repairs) {
    if (relation(repair.table)?.owns !== false) continue;
    problems.push(
      `${shownRelation(repair.table)} needs a ${repair.kind === 'add column' ? `column ${repair.column}` : 'unique key'}, since ${repair.reason}, and role ${catalog.role} does not own the table: have its owner run ${repairStatement(repair)};`,
    );
  }
  return problems;
}

type Right = keyof CatalogRelation['may'];
