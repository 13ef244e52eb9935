// The worker container's health check: its heartbeat in the database is fresh. A worker that lives but is
// wedged stops beating.
import { hostname } from 'node:os';
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 3_000 });
await client.connect();
const { rowCount } = await client.query(
  `SELECT FROM ami_workers WHERE host = $1 AND heartbeat_at > now() - interval '20 s'`,
  [hostname()],
);
await client.end();
process.exit(rowCount ? 0 : 1);
