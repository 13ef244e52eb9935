import { quotedRelation, shownRelation } from '../identifiers.js';
import type { ReadsMapping } from '../mapping.js';
import { canonicalRows } from './canonicalReads.js';
import type { SqlFunction } from './lookUpReads.js';

/**
 * What the canonical functions call the table of reads. In a database that versions before `sql/schema` have adopted they
 * name a stand-in, to which the migrations were applied.
 */
const READS_TABLE = '(?:meter_reads_electric|ami_stand_in_reads)';

interface FoldTrigger {
  /** Of the trigger, and of the function of sql/schema/rollup_*.sql that folds canonical rows. */
  name: string;
  timing: string;
}

export const FOLD_TRIGGERS: readonly FoldTrigger[] = [
  { name: 'ami_fold_inserted_reads', timing: 'AFTER INSERT {} REFERENCING NEW TABLE AS new_rows' },
  { name: 'ami_fold_deleted_reads', timing: 'AFTER DELETE {} REFERENCING OLD TABLE AS old_rows' },
  {
    name: 'ami_fold_updated_reads',
    timing: 'AFTER UPDATE {} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
  },
  { name: 'ami_fold_truncated_reads', timing: 'AFTER TRUNCATE {}' },
];

const adoptedName = (name: string): string => name.replace('ami_', 'ami_adopted_');

/**
 * The trigger functions for a customer's table: the canonical ones, as they are in the database, reading their
 * transition tables through the mapping. Made from those rather than written a second time, so that they cannot
 * disagree.
 *
 * @param canonical bodies of the canonical functions, by name.
 * @throws Error when a body reads rows in a way that this does not know.
 */
export function foldFunctions(reads: ReadsMapping, canonical: ReadonlyMap<string, string>): SqlFunction[] {
  return FOLD_TRIGGERS.map(({ name }) => ({
    name: adoptedName(name),
    signature:
      '() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {ownSchema}, pg_temp SET jit = off',
    body: adopted(canonical.get(name) ?? '', reads),
  }));
}

function adopted(body: string, reads: ReadsMapping): string {
  const text = body
    .replace(
      new RegExp(`JOIN ${READS_TABLE} USING \\(tenant_id, meter_id, read_at\\)`),
      'CROSS JOIN LATERAL ami_read_at(old_rows.tenant_id, old_rows.meter_id, old_rows.read_at) AS present',
    )
    // Every value has been bounded, row by row; the sum of a large load must not fail it.
    .replaceAll('ami_is_plausible(', 'ami_adopted_is_plausible(')
    .replace(new RegExp(READS_TABLE, 'g'), () => inMessage(shownRelation(reads.table)))
    // Last, since a customer's column may be called as the table is.
    .replace(
      /\bFROM (new|old)_rows\b/g,
      (_, rows: string) => `FROM (${canonicalRows(reads, `${rows}_rows`)}) AS ${rows}_rows`,
    );
  if (body === '' || /\b(JOIN|,)\s+(new|old)_rows\b(?!\.)/.test(text))
    throw new Error('A fold function reads rows in a way that an adopted table cannot be put under.');
  return text;
}

/** A name inside the literal of a RAISE. */
function inMessage(name: string): string {
  return name.replaceAll("'", "''").replaceAll('%', '%%');
}

/** The statements that put the triggers on a customer's table. */
export function triggerStatements(table: ReadsMapping['table'], present: readonly string[]): string[] {
  return FOLD_TRIGGERS.filter(({ name }) => !present.includes(name)).map(
    ({ name, timing }) =>
      `CREATE TRIGGER ${name} ${timing.replace('{}', () => `ON ${quotedRelation(table)}`)} FOR EACH STATEMENT EXECUTE FUNCTION ${adoptedName(name)}()`,
  );
}
