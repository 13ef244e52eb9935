import pg from 'pg';

/**
 * Opens a pool whose idle connections the server may cut. `end()` settles before the server has closed them, so a
 * database that is dropped by force right afterwards cuts some: without a listener that is an uncaught exception, which
 * fails a run in which every test passed.
 */
export function openPool(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(options);
  pool.on('error', () => undefined);
  return pool;
}
