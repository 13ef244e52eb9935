import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { StartupError } from '../contracts/errors.js';

/** What stands between this process and Postgres, as found by trying. */
export interface Pooling {
  /**
   * `none`: Postgres itself. `session`: a pooler that keeps one server connection for as long as a client is connected.
   * `transaction`: one that may give every transaction another, so that no setting and no LISTEN outlives one.
   */
  mode: 'none' | 'session' | 'transaction';
  /** Whether a statement that was prepared under a name is there again in the next transaction. */
  keepsStatements: boolean;
}

export const DIRECT: Pooling = { mode: 'none', keepsStatements: true };

/** Each round meets a pooler that gives the second client the first one's server connection, unless others are quicker. */
const ROUNDS = 5;
const DUPLICATE_STATEMENT = '42P05';

/**
 * Finds out what stands in between, with a second connection where something does.
 *
 * A pooler gives itself away since the process number that it tells a client is one of its own, never the backend's. One
 * in transaction mode lends the server connection that the first client has just used to the second one, whose
 * transaction holds it: there the name that the first has prepared is free if the pooler keeps statements apart, and
 * taken if it does not.
 *
 * @param another makes the second connection; the caller closes it.
 * @throws StartupError for a pooler in statement mode, which takes no transaction.
 */
export async function findPooling(first: pg.Client, another: () => Promise<pg.Client>): Promise<Pooling> {
  const told = (first as unknown as { processID: number }).processID;
  if ((await backendOf(first)) === told) return DIRECT;
  // A pool that has no second session to give keeps the first one: that is session mode.
  const second = await another().catch(() => undefined);
  if (second === undefined) return { mode: 'session', keepsStatements: true };
  const backends = new Set<number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = `gridlens_probe_${randomUUID()}`;
    const { rows } = await first.query<{ pid: number }>({ name, text: 'SELECT pg_backend_pid() AS pid' });
    const used = rows[0]?.pid as number;
    backends.add(used);
    const keepsStatements = await inTransaction(second, async () =>
      (await backendOf(second)) === used ? keepsApart(second, name) : undefined,
    );
    if (keepsStatements !== undefined) return { mode: 'transaction', keepsStatements };
  }
  // Others were quicker each time: what is not known to be kept is not relied upon.
  return backends.size > 1
    ? { mode: 'transaction', keepsStatements: false }
    : { mode: 'session', keepsStatements: true };
}

async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid as number;
}

/** Whether a name that another client has prepared on the same server connection can be prepared here too. */
async function keepsApart(client: pg.Client, name: string): Promise<boolean> {
  try {
    await client.query({ name, text: 'SELECT' });
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === DUPLICATE_STATEMENT) return false;
    throw error;
  }
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  try {
    await client.query('BEGIN');
  } catch (error) {
    if (error instanceof pg.DatabaseError && /statement pooling/.test(error.message))
      throw new StartupError(
        'The pooler that DATABASE_URL leads to is in statement mode, in which no transaction can be made: set its pool_mode to transaction or session.',
        { cause: error },
      );
    throw error;
  }
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}
