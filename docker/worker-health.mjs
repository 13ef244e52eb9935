// The worker container's health check: its heartbeat in the database is fresh. A worker that lives but is
// wedged stops beating, and so does one whose clock is wrong, which takes no jobs.
import { hostname } from 'node:os';
import pg from 'pg';
import { hostUrls } from '../dist/db/hosts.js';
import { loadConfig } from '../dist/process/config.js';

async function beats(connectionString) {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_500 });
  client.on('error', () => undefined); // The query under way fails with the same reason.
  try {
    await client.connect();
    const { rowCount } = await client.query(
      `SELECT FROM ami_workers WHERE host = $1 AND heartbeat_at > now() - interval '20 s' AND retired_at IS NULL`,
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

function databaseUrls() {
  try {
    return hostUrls(loadConfig(process.env, { command: 'worker' }).databaseUrl);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

// Of several hosts whichever answers will do, a standby too.
for (const url of databaseUrls()) if (await beats(url)) process.exit(0);
process.exit(1);
