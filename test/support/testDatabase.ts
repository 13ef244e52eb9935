import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** Mirrors globalSetup's name; a test file runs in another process and must not start the setup's imports. */
const TEMPLATE = 'gridlens_template';

const DEADLOCK_DETECTED = '40P01';

export interface TestDatabase {
  url: string;
  /** A pool for looking from outside, as psql would. */
  pool: pg.Pool;
  /** TRUNCATE as an operator does it: once more where a deadlock ended it. */
  truncate(tables: string): Promise<void>;
  drop(): Promise<void>;
}

/** A database of its own, cloned from the migrated template; `empty` for one without any table. */
export async function createTestDatabase(kind: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const clusterUrl = inject('clusterUrl');
  await onCluster(
    clusterUrl,
    `CREATE DATABASE ${name} TEMPLATE ${kind === 'migrated' ? TEMPLATE : 'template0'} STRATEGY FILE_COPY`,
  );
  const url = new URL(clusterUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 5 });
  pool.on('error', () => undefined);
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
      await onCluster(clusterUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function onCluster(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Two clones of one template at once refuse each other; a lock makes the files take turns.
    await client.query(`SELECT pg_advisory_lock(1)`);
    await client.query(sql);
  } finally {
    await client.end();
  }
}
