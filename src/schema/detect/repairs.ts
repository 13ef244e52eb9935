import { literal, quoted, quotedRelation, shown, shownRelation } from '../identifiers.js';
import type { RelationName } from '../mapping.js';

/** Something that is added to a customer's table. Nothing is ever dropped, renamed or rewritten. */
export type Repair = { table: RelationName; reason: string } & (
  | { kind: 'add column'; column: string; type: string; default?: string }
  | { kind: 'add unique key'; name: string; columns: readonly string[] }
);

/** The statement that makes a repair. */
export function repairStatement(repair: Repair): string {
  const table = quotedRelation(repair.table);
  if (repair.kind === 'add column') {
    // NOT NULL with a constant default is a change of the catalog alone: no row is rewritten.
    const value = repair.default === undefined ? '' : ` NOT NULL DEFAULT ${literal(repair.default)}`;
    return `ALTER TABLE ${table} ADD COLUMN ${quoted(repair.column)} ${repair.type}${value}`;
  }
  return `ALTER TABLE ${table} ADD CONSTRAINT ${quoted(repair.name)} UNIQUE (${repair.columns.map(quoted).join(', ')})`;
}

/** A repair in words, for logs and the plan. */
export function repairSummary(repair: Repair): string {
  const what =
    repair.kind === 'add column'
      ? `column ${repair.column} ${repair.type}`
      : `unique constraint ${repair.name} on (${repair.columns.join(', ')})`;
  return `${shownRelation(repair.table)}: ${repair.kind === 'add column' ? 'add' : 'add a'} ${what}, since ${repair.reason}`;
}

/** What is new after a repair, as `readObjects` names it. */
export function repairedObjects(repair: Repair): string[] {
  const table = shownRelation(repair.table);
  return repair.kind === 'add column'
    ? [`column of ${table}: ${shown(repair.column)}`]
    : [`constraint of ${table}: ${repair.name}`, `index of ${table}: ${repair.name}`];
}
