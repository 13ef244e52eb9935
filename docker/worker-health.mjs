// The worker container's health check: its heartbeat in the database is fresh. A worker that lives but is
// wedged stops beating.
import { hostname } from 'node:os';
import pg from 'pg';

/** DATABASE_URL may name several hosts, and pg takes one: whichever answers will do, a standby too. */
const [, start, hosts, rest] =
  /^([^:]+:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/.exec(process.env.DATABASE_URL ?? '') ?? [];

async function beats(connectionString) {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_500 });
  client.on('error', () => undefined); // The query under way fails with the same reason.
  try {
    await client.connect();
    const { rowCount } = await client.query(
      `SELECT FROM ami_workers WHERE host = $1 AND heartbeat_at > now() - interval '20 s'`,
      [hostname()],
    );
    return rowCount > 0;
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return false;
  } finally {
    await client.end().catch(() => undefined); // It was not connected.
  }
}

for (const host of (hosts ?? '').split(',')) if (await beats(`${start}${host}${rest}`)) process.exit(0);
process.exit(1);
