import { answerBudget } from '../contracts/answerBudget.js';
import type { Queryable } from './db.js';

/**
 * Every advisory lock there is. The name gives the key that Postgres sees: `gridlens:NAME`, or `gridlens:NAME:SUBJECT`
 * where a subject (a tenant, an interval) has a lock of its own, hashed by `hashtextextended(key, 0)`. A key never
 * changes: during a rolling upgrade the old processes and the new ones must want the same lock. All of them end with
 * their transaction, so they work behind a pooler and no process can forget one.
 *
 * The order of the list is the order in which locks may be taken together: who holds one takes only those below it.
 * These are taken together today:
 *  - a turn, and below it, on other connections, whatever its work takes;
 *  - `migrations` → `partitions`, `known-meters` (either first: nobody else wants one of the two while holding the other);
 *  - `admission` → `partitions`;
 *  - `revision` → `known-meters`, as a revision's write folds; `import` → `known-meters` likewise;
 *  - `retention` → the table of reads → `known-meters`: an insert holds the table before it wants that lock.
 */
export const LOCKS = {
  // Turns: whoever does not get one leaves the work to the process that has it (timing/oneProcessAtATime).
  dispatch: 'one process serves the intervals that tenants are owed',
  watchdog: 'one process looks whether every tenant has its scheduler and its intervals',
  'lost-batches': 'one process puts batches back into the queue that the ledger owes and no queue has',
  tidying: 'one process makes and drops partitions, and deletes what nobody needs any more',
  vee: 'one process validates and estimates reads',
  archive: 'one process archives days of reads and drops them',

  migrations: 'one process prepares the database; the others wait and find it prepared',
  auto: "per tenant: its automatic mode's configuration and its scheduler change as one",
  backfill: 'per tenant: a backfill is looked for and, where there is none like it, created as one',
  registry: 'one load of a registry file at a time',
  fleet: 'per tenant: a registry has one snapshot, whoever takes it',
  admission: 'queue depth, pace and ledger are one step across all processes',
  revision: 'per interval of a tenant: from reading its events to the commit, one revision at a time',

  'import-file': 'per import: whoever reads its file is alive while the lock is held',
  import: 'per tenant: batches of imports are judged and written one at a time (ami_write_imported_batch)',

  // Taken inside SQL functions, so that psql and a customer's own loader hold to them too.
  retention: 'one process drops expired days (ami_drop_read_partitions_before)',
  partitions: "one process makes a day's partition, the others find it made (ami_ensure_read_partition)",
  /** Shared by the triggers that fold reads; alone for a count anew, which `schema/additions` asks for too. */
  'known-meters': 'no count of meters and rollups runs beside statements that change reads (fold triggers)',
} as const;

export type LockName = keyof typeof LOCKS;
export type TurnName = 'dispatch' | 'watchdog' | 'lost-batches' | 'tidying' | 'vee' | 'archive';

/** How long a transaction lets others wait, in ms. What is not given stays as the session has it. */
export interface Waits {
  /** For any lock that it wants itself; 0 waits without end. Postgres then says 55P03. */
  lockMs?: number;
  /** For a process that holds locks and says nothing, frozen or cut off. Postgres then ends the connection. */
  frozenMs?: number;
}

/** Bounds the waits of the transaction under way. */
export async function boundWaits(client: Queryable, { lockMs, frozenMs }: Waits): Promise<void> {
  const settings = [
    ...(lockMs === undefined ? [] : [['lock_timeout', `${lockMs}ms`]]),
    ...(frozenMs === undefined ? [] : [['idle_in_transaction_session_timeout', `${frozenMs}ms`]]),
  ];
  await client.query(
    'SELECT set_config(name, setting, true) FROM unnest($1::text[], $2::text[]) AS given (name, setting)',
    [settings.map(([name]) => name), settings.map(([, setting]) => setting)],
  );
}

/**
 * The bounds of a lock that requests wait for: they wait no longer than an answer may take, and a process that freezes
 * while it holds the lock loses it after 5 s rather than stop the whole deployment.
 */
export function requestWaits(): Required<Waits> {
  const { lock, frozenHolder } = answerBudget();
  return { lockMs: lock, frozenMs: frozenHolder };
}

/**
 * Takes a lock until the end of the transaction, after whoever has it.
 *
 * @param subject of a lock that is per subject.
 */
export async function takeLock(client: Queryable, name: LockName, subject?: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [keyOf(name, subject)]);
}

/** Takes a lock until the end of the transaction unless somebody has it; answers whether it did. */
export async function tryLock(client: Queryable, name: LockName, subject?: string): Promise<boolean> {
  const { rows } = await client.query<{ isOurs: boolean }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS "isOurs"',
    [keyOf(name, subject)],
  );
  return rows[0]?.isOurs === true;
}

function keyOf(name: LockName, subject?: string): string {
  return subject === undefined ? `gridlens:${name}` : `gridlens:${name}:${subject}`;
}
