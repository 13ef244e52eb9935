import { StartupError } from '../contracts/errors.js';
import type { Queryable } from '../db/db.js';
import { boundWaits, takeLock } from '../db/locks.js';
import { normalised } from './detect/catalog.js';
import type { Detection } from './detect/detectSchema.js';
import { readCatalog } from './detect/readCatalog.js';
import { type Repair, repairedObjects, repairStatement, repairSummary } from './detect/repairs.js';
import { recordSchemaChange } from './detect/schemaHistory.js';
import { triggerStatements } from './functions/foldTriggers.js';
import { quoted, quotedRelation, shownRelation } from './identifiers.js';
import type { ReadsMapping } from './mapping.js';
import { readSchemaFile } from './schemaFiles.js';

/** A statement on a table that GridLens did not make. */
export interface PlannedStatement {
  statement: string;
  /** What it adds and why. */
  summary: string;
  /** What is new by it, as `readObjects` names it. */
  objects: string[];
}

/** Makes the registry tables that nobody has made. */
export async function createRegistry(client: Queryable, { create, mapping }: Detection): Promise<void> {
  for (const name of create) {
    await client.query(await readSchemaFile(`${name}.sql`));
    await recordSchemaChange(client, {
      kind: 'create',
      table: { schema: mapping.ownSchema, name },
      statement: `sql/schema/${name}.sql`,
      reason: `there was no table of ${name}`,
    });
  }
}

/**
 * Adds what a customer's table lacks.
 *
 * @throws StartupError when the data stands against it.
 */
export async function repaired(
  client: Queryable,
  repair: Repair,
  planOnly: boolean,
): Promise<PlannedStatement> {
  const statement = repairStatement(repair);
  if (repair.kind === 'add unique key') await requireNoDuplicates(client, repair);
  if (!planOnly) await client.query(statement);
  await recordSchemaChange(client, {
    kind: repair.kind,
    table: repair.table,
    statement,
    reason: repair.reason,
    ...(repair.kind === 'add column' ? { column: repair.column } : {}),
  });
  return { statement, summary: repairSummary(repair), objects: repairedObjects(repair) };
}

/** @throws StartupError when the data has the key twice. */
async function requireNoDuplicates(
  client: Queryable,
  { table, columns }: Extract<Repair, { kind: 'add unique key' }>,
): Promise<void> {
  const target = quotedRelation(table);
  const there = await client.query<{ name: string }>(
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = ANY ($2) AND NOT attisdropped',
    [target, columns],
  );
  // A column that is yet to be added has one value throughout.
  const key = columns.filter((column) => there.rows.some(({ name }) => name === column)).map(quoted);
  const { rows } = await client.query<{ keys: string; surplus: string }>(
    `SELECT count(*) AS keys, sum(rows - 1) AS surplus FROM (
       SELECT count(*) AS rows FROM ${target} WHERE ${key.map((column) => `${column} IS NOT NULL`).join(' AND ')}
       GROUP BY ${key.join(', ')} HAVING count(*) > 1) twice`,
  );
  const { keys = '0', surplus = '0' } = rows[0] ?? {};
  if (keys === '0') return;
  const same = key.map((column) => `one.${column} = other.${column}`).join(' AND ');
  throw new StartupError(
    `${shownRelation(table)} has ${keys} ${keys === '1' ? 'read' : 'reads'} more than once (${surplus} ${surplus === '1' ? 'row' : 'rows'} too many by ${columns.join(', ')}), so that no unique key can keep further ones out: keep one of each, for example DELETE FROM ${target} one USING ${target} other WHERE ${same} AND (one.tableoid, one.ctid) > (other.tableoid, other.ctid);`,
  );
}

/** The statements for the triggers that the table of reads has not. */
export async function missingTriggers(client: Queryable, { table }: ReadsMapping): Promise<string[]> {
  const { relations } = await readCatalog(client, [normalised(table.name)]);
  const found = relations.find(({ schema, name }) => schema === table.schema && name === table.name);
  return triggerStatements(table, found?.triggers ?? []);
}

/**
 * Puts the triggers on the customer's table, and counts what is in it already. Counts it anew, too, when the table or
 * one of its mapped columns has become another: the rollups would otherwise be sums of two things.
 */
export async function adoptReads(
  client: Queryable,
  { mapping: { reads }, adoption, recount }: Detection,
  planOnly: boolean,
): Promise<PlannedStatement[]> {
  const { table } = reads;
  const statements = await missingTriggers(client, reads);
  for (const statement of statements) {
    if (!planOnly) await client.query(statement);
    await recordSchemaChange(client, { kind: 'add trigger', table, statement, reason: REASON });
  }
  if (statements.length > 0 || recount) {
    await recordSchemaChange(client, {
      kind: 'adopt',
      table,
      statement: JSON.stringify(adoption),
      reason: 'the database had a table of reads',
    });
    if (!planOnly) await countAnew(client);
  }
  return statements.map((statement) => {
    const name = /CREATE TRIGGER (\S+)/.exec(statement)?.[1];
    return {
      statement,
      summary: `${shownRelation(table)}: add trigger ${name}, since ${REASON}`,
      objects: [`trigger of ${shownRelation(table)}: ${name}`],
    };
  });
}

const REASON = 'the KPIs follow every read, whoever writes it';

async function countAnew(client: Queryable): Promise<void> {
  await boundWaits(client, { lockMs: 0 });
  await takeLock(client, 'known-meters');
  // The rest is deleted by the count itself; meters whose ids have become others would stay known.
  await client.query('DELETE FROM ami_known_meter_sets');
  await client.query('DELETE FROM ami_known_meters');
  await client.query(`SELECT ami_rebuild_rollups_of_days('-infinity', 'infinity')`);
}
