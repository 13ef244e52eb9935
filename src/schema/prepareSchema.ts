/**
 * Room: schema. Promises: GridLens fits the database that it finds: it adds what is missing, and never changes or
 * drops what is a customer's.
 */

import { StartupError } from '../contracts/errors.js';
import type { Queryable } from '../db/db.js';
import { adoptReads, createRegistry, missingTriggers, type PlannedStatement, repaired } from './additions.js';
import { staleComments, writeComments } from './comments.js';
import { type Detection, detectSchema } from './detect/detectSchema.js';
import { createFunctions, staleFunctions } from './functions/createFunctions.js';
import { literal, quoted, shown } from './identifiers.js';
import type { SchemaMapping } from './mapping.js';
import {
  applyMigrations,
  hasHistory,
  lockMigrations,
  type Migration,
  pendingMigrations,
  recordMigrations,
} from './migrations.js';
import { makeSchema, type Ownership, ownsEvents } from './schemaFiles.js';

/** What preparing the schema did, or would do. */
export interface Preparation {
  mapping: SchemaMapping;
  /** In their order. */
  onCustomerTables: PlannedStatement[];
  /** Whether the database had nothing of GridLens and was made from `sql/schema`. */
  isFresh: boolean;
  /** Migration files that were applied to a database that is not fresh. */
  migrations: string[];
  /** How many of GridLens's objects that were there had a comment missing or out of date. */
  comments: number;
}

export interface PrepareOptions {
  /** Tenant of the rows of a table that has no column for it. */
  defaultTenantId: string;
  /** Leaves the customer's tables alone, for a plan: the caller rolls the rest back. */
  planOnly?: boolean;
}

/** A busy table is waited for no longer than this at a time, since everyone else queues behind who waits. */
const LOCK_TIMEOUT = '500ms';

/**
 * Whether there is nothing to prepare; then the mapping, without a lock and without a right to create anything.
 *
 * @throws StartupError one sentence a line when the schema cannot be adapted.
 */
export async function preparedMapping(
  client: Queryable,
  { defaultTenantId }: PrepareOptions,
): Promise<SchemaMapping | undefined> {
  const { mapping, repairs, create, recount, mayCreate } = await detected(client, defaultTenantId);
  if (recount || repairs.length + create.length > 0 || (await pendingMigrations(client)).length > 0)
    return undefined;
  if ((await staleFunctions(client, mapping.reads)).length > 0) return undefined;
  if (!mapping.reads.own && (await missingTriggers(client, mapping.reads)).length > 0) return undefined;
  const ownership = { mapping, events: await ownsEvents(client) };
  // A role that may make nothing is not kept from running by a comment.
  if (mayCreate && (await staleComments(client, ownership)).length > 0) return undefined;
  return mapping;
}

/**
 * Makes everything that is missing: the schema or the migrations that it lacks, registry tables, additions to the
 * customer's tables, the functions and triggers that fit the table of reads, comments. In the caller's transaction,
 * under a lock.
 *
 * @throws StartupError one sentence a line when the schema cannot be adapted; nothing has been changed then.
 */
export async function prepareSchema(client: Queryable, options: PrepareOptions): Promise<Preparation> {
  // A snapshot from before the lock would not see what others have committed meanwhile.
  await client.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await lockMigrations(client);
  // Counting the reads that are there takes as long as it takes.
  await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'; SET LOCAL statement_timeout = 0`);
  // The files' functions are checked when they are called: some look up reads through functions that are made below.
  await client.query('SET LOCAL check_function_bodies = off');
  const detection = await detected(client, options.defaultTenantId);
  const { mapping } = detection;
  requireMayCreate(detection);
  const pending = await pendingMigrations(client);
  await requireEvents(client, pending);
  const ownership = { mapping, events: await ownsEvents(client) };
  const comments = (await staleComments(client, ownership)).length;
  const isFresh = !(await hasHistory(client));
  if (isFresh) await madeFresh(client, ownership, pending);
  else await keepingComment(client, 'ami_events', () => applyMigrations(client, pending));

  const onCustomerTables: Preparation['onCustomerTables'] = [];
  await createRegistry(client, detection);
  for (const repair of detection.repairs)
    onCustomerTables.push(await repaired(client, repair, options.planOnly === true));
  // A plan makes functions over columns that it does not add.
  if (!options.planOnly) await client.query('SET LOCAL check_function_bodies TO DEFAULT');
  await createFunctions(client, mapping);
  if (!mapping.reads.own)
    onCustomerTables.push(...(await adoptReads(client, detection, options.planOnly === true)));
  await writeComments(client, ownership);
  return { mapping, onCustomerTables, isFresh, migrations: isFresh ? [] : namesOf(pending), comments };
}

const namesOf = (files: readonly Migration[]): string[] => files.map(({ name }) => name);

/** Makes the schema as the migrations would have left it, and notes that none of them is owed. */
async function madeFresh(
  client: Queryable,
  ownership: Ownership,
  migrations: readonly Migration[],
): Promise<void> {
  await makeSchema(client, ownership);
  await recordMigrations(client, migrations);
}

async function detected(client: Queryable, defaultTenantId: string): Promise<Detection> {
  const { problems, detection } = await detectSchema(client, defaultTenantId);
  if (!detection) throw new StartupError(problems.join('\n'));
  return detection;
}

/** @throws StartupError when the role may not make GridLens's own tables. */
function requireMayCreate({ role, mayCreate, mapping: { ownSchema } }: Detection): void {
  if (mayCreate) return;
  const schema = shown(ownSchema);
  throw new StartupError(
    `Role ${role} may not create anything in schema ${schema}, where GridLens's own tables go: GRANT CREATE ON SCHEMA ${quoted(ownSchema)} TO ${quoted(role)}; or run npm run migrate once as a role that may.`,
  );
}

/**
 * The table of events that the pilot request described may be there already; it then gets what it lacks.
 *
 * @throws StartupError when something else is called so.
 */
async function requireEvents(client: Queryable, pending: readonly Migration[]): Promise<void> {
  if (!pending.some(({ name }) => name === 'phase3_ami_events.sql')) return;
  const { rows } = await client.query<{ kind: string; owns: boolean; columns: string[] }>(
    `SELECT relkind AS kind, pg_has_role(relowner, 'USAGE') AS owns, ARRAY(
       SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) AS columns
     FROM pg_class WHERE relname = 'ami_events' AND relnamespace = quote_ident(current_schema())::regnamespace`,
  );
  const [found] = rows;
  if (!found) return;
  const lacks = EVENT_COLUMNS.find((column) => !found.columns.includes(column));
  const why =
    found.kind !== 'r'
      ? 'is no plain table'
      : lacks !== undefined
        ? `has no column ${lacks}`
        : found.owns
          ? undefined
          : 'belongs to another role, which alone may add what it lacks';
  if (why === undefined) return;
  throw new StartupError(
    `The ami_events that is there cannot hold GridLens's events, since it ${why}: ALTER ${found.kind === 'v' ? 'VIEW' : 'TABLE'} ami_events RENAME TO ami_events_original; or give GridLens a schema of its own.`,
  );
}
/** Columns of the pilot request (docs/decisions/README.md); the others are added. */
const EVENT_COLUMNS = [
  'id',
  'tenant_id',
  'feeder_id',
  'event_type',
  'severity',
  'start_at',
  'end_at',
  'is_active',
];

/** The pilot request's table may be there with a customer's comment: the migration that completes it puts its own. */
async function keepingComment(client: Queryable, table: string, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS comment`,
    [table],
  );
  const comment = rows[0]?.comment ?? null;
  await work();
  if (comment !== null) await client.query(`COMMENT ON TABLE ${table} IS ${literal(comment)}`);
}
