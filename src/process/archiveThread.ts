import { parentPort, workerData } from 'node:worker_threads';
import { archiveDueDays } from '../archive/archive.js';
import { createDatabase } from '../db/db.js';
import type { ArchiveTask } from './archiving.js';

/** The program of the archive's thread: it archives what is due over a connection of its own, and ends. */
const { folder, readsRetentionDays, now, databaseUrl, pooling } = workerData as ArchiveTask;
const database = createDatabase({
  connectionString: databaseUrl,
  applicationName: 'gridlens-archive',
  maxConnections: 1,
  // The count of a day's partition, of which nobody waits for.
  queryTimeoutMs: 600_000,
  pooling,
  onIdleError: () => undefined, // The query under way fails with the same reason.
});
const result = await archiveDueDays({ database, folder, readsRetentionDays, now });
await database.end();
parentPort?.postMessage(result);
