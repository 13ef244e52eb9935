import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inject } from 'vitest';
import { openPool } from './openPool.js';
import { TEMPLATES } from './templates.js';

const DEADLOCK_DETECTED = '40P01';

export interface TestDatabase {
  url: string;
  /** A pool for looking from outside, as psql would. */
  pool: pg.Pool;
  /** TRUNCATE as an operator does it: once more where a deadlock ended it. */
  truncate(tables: string): Promise<void>;
  drop(): Promise<void>;
}

/** A database of its own, cloned from one of the templates; `empty` for one without any table. */
export async function createTestDatabase(
  kind: keyof typeof TEMPLATES | 'empty' = 'migrated',
): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onCluster(
    `CREATE DATABASE ${name} TEMPLATE ${kind === 'empty' ? 'template0' : TEMPLATES[kind]} STRATEGY FILE_COPY`,
  );
  const url = new URL(inject('clusterUrl'));
  url.pathname = `/${name}`;
  const pool = openPool({ connectionString: url.href, max: 5, idleTimeoutMillis: 0 });
  return {
    url: url.href,
    pool,
    // It locks the table first and after that what its trigger empties. Upkeep reads both the other way round.
    async truncate(tables) {
      for (;;) {
        const error = await pool.query(`TRUNCATE ${tables}`).then(
          () => undefined,
          (reason) => reason,
        );
        if (!error) return;
        if (error.code !== DEADLOCK_DETECTED) throw error;
      }
    },
    async drop() {
      await pool.end();
      await onCluster(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** Of all files that a worker process runs: a new connection to Postgres costs it more than what is asked here. */
let administration: pg.Pool | undefined;

/** Runs one statement on the cluster's maintenance database, as its superuser, while no other file does. */
export async function onCluster(sql: string): Promise<void> {
  if (administration === undefined) {
    const connectionString = inject('clusterUrl');
    administration = openPool({ connectionString, max: 1, idleTimeoutMillis: 0, allowExitOnIdle: true });
  }
  const client = await administration.connect();
  try {
    // Two clones of one template at once refuse each other; a lock makes the files take turns.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(sql);
  } finally {
    // Its lock would stay with a connection that is kept.
    await client.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    client.release();
  }
}
