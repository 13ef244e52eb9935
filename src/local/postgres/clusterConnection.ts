import pg from 'pg';
import { CLUSTER_USER, type PreparedCluster } from './clusterFiles.js';

const DATABASE = 'gridlens';

/** `not-yet`: it is starting, recovering or on its way out. */
export type Greeting =
  | { state: 'ready'; systemIdentifier: string }
  | { state: 'not-yet' }
  | { state: 'wrong-password' };

/** Starting up or shutting down, not listening yet, cut off, or full. */
const PASSING = new Set(['57P01', '57P03', 'ECONNREFUSED', 'ECONNRESET', '53300']);

export function connectionStringOf({ password }: PreparedCluster, port: number): string {
  return urlOf(password, port, DATABASE);
}

/** Connects once and makes the database when it is missing. */
export async function greet({ password }: PreparedCluster, port: number): Promise<Greeting> {
  const client = new pg.Client({
    connectionString: urlOf(password, port, 'postgres'),
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  // The query in progress rejects as well; without a listener the event alone would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await makeDatabase(client);
    const { rows } = await client.query<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_control_system()',
    );
    return { state: 'ready', systemIdentifier: rows[0]?.id ?? '' };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === '28P01') return { state: 'wrong-password' };
    if (PASSING.has(code ?? '') || /timeout|terminated/i.test(message)) return { state: 'not-yet' };
    throw error;
  } finally {
    await client.end().catch(() => undefined); // Already cut off: nothing is left to end.
  }
}

/** How many others are connected: the API and worker on their way out, or somebody's psql. */
export async function countClients({ password }: PreparedCluster, port: number): Promise<number> {
  const client = new pg.Client({ connectionString: urlOf(password, port, 'postgres'), query_timeout: 1_000 });
  client.on('error', () => undefined); // As above.
  try {
    await client.connect();
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::integer AS count FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return rows[0]?.count ?? 0;
  } finally {
    await client.end().catch(() => undefined); // As above.
  }
}

async function makeDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 1) return;
  try {
    await client.query(`CREATE DATABASE ${DATABASE} OWNER ${CLUSTER_USER}`);
  } catch (error) {
    const duplicate = ['42P04', '23505'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!duplicate) throw error;
  }
}

function urlOf(password: string, port: number, database: string): string {
  return `postgres://${CLUSTER_USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}
