import type { Queryable } from '../db/db.js';
import type { Context } from './context.js';

interface Supply {
  /** Connections that roles without special rights may have in all. */
  usable: number;
  used: number;
}

/** Says of the Postgres of a process that has started what may become of it: connections, and a failover. */
export async function logPostgres(context: Context): Promise<void> {
  try {
    await logConnectionBudget(context);
    await warnOfPromotion(context);
  } catch (error) {
    context.log.warn({ reason: (error as Error).message }, 'Postgres could not be asked for its limits');
  }
}

/**
 * What this process may take of Postgres's connections, and what there is. One process cannot know how many others there
 * will be; that the sum fits is for whoever reads the line.
 */
async function logConnectionBudget({ database, connections, log }: Context): Promise<void> {
  const { own, queue, files, pooling } = connections;
  const mayTake = own + queue + files;
  const { usable, used } = await connectionSupply(database);
  const facts = { mayTake, usable, used, pooler: pooling.mode === 'none' ? undefined : pooling.mode };
  if (pooling.mode === 'transaction') {
    log.info(facts, 'connections to a pooler, which shares those of Postgres among its clients');
    return;
  }
  // What it has taken already is no want of others.
  const free = Math.max(0, Math.min(usable, usable - used + database.totalCount + queue));
  if (mayTake <= free) {
    log.info(facts, `connections: this process takes ${mayTake} at most, and ${free} of ${usable} are free`);
    return;
  }
  log.warn(
    facts,
    `connections: this process may take ${mayTake}, and only ${free} of ${usable} are free: lower DATABASE_POOL_MAX or QUEUE_POOL_MAX, run fewer processes, or put PgBouncer before Postgres (docs/topologies.md)`,
  );
}

/** The tightest of the server's, the role's and the database's limits. Sessions are counted by Postgres's statistics. */
export async function connectionSupply(database: Queryable): Promise<Supply> {
  const { rows } = await database.query<Supply>(
    `SELECT least(
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0),
         (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
         (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())) AS usable,
       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS used`,
  );
  return rows[0] as Supply;
}

/**
 * Where a failover may lose answers: a standby follows that the primary does not wait for. Whoever is
 * promoted then may lack the last commits, and with them publishes that were answered with 202.
 */
async function warnOfPromotion({ database, log }: Context): Promise<void> {
  const { rows } = await database.query<{ isAwaited: boolean; standbys: number }>(
    `SELECT current_setting('synchronous_standby_names') <> ''
         AND current_setting('synchronous_commit') IN ('on', 'remote_write', 'remote_apply') AS "isAwaited",
       (SELECT count(*)::int FROM pg_stat_replication) AS standbys`,
  );
  const { isAwaited, standbys } = rows[0] as (typeof rows)[number];
  if (standbys === 0 || isAwaited) return;
  log.warn(
    { standbys },
    'a standby follows that commits do not wait for: promoted, it may lack publishes that were answered. Set synchronous_standby_names, and synchronous_commit to on, or ask after a failover for each publish that matters (docs/topologies.md)',
  );
}
