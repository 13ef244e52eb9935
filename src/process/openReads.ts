import type { Logger } from 'pino';
import { createDatabase, type Database } from '../db/db.js';
import { DIRECT } from '../db/pooling.js';
import { poolingBefore } from '../db/requirePostgres.js';
import { type Reads, readFromPrimary, readFromStandby } from '../db/standbyReads.js';
import { runPeriodically } from '../timing/periodic.js';
import type { Config } from './config.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Opens what KPI and status routes read: the standby of DATABASE_READ_URL, else the primary. A standby that is away, also
 * at start, is done without.
 */
export async function openReads(
  primary: Database,
  config: Pick<Config, 'databaseReadUrl' | 'databaseReadMaxStalenessSeconds'>,
  limits: { maxConnections: number; queryTimeoutMs: number },
  log: Logger,
): Promise<Reads & { close(): Promise<void> }> {
  const { databaseReadUrl, databaseReadMaxStalenessSeconds } = config;
  if (databaseReadUrl === undefined) return { ...readFromPrimary(primary), close: async () => undefined };
  const onIdleError = (error: Error): void => log.warn({ reason: error.message }, 'standby lost');
  const pooling = await poolingBefore(databaseReadUrl).catch((error: Error) => {
    log.warn({ reason: error.message }, 'DATABASE_READ_URL cannot be used now: the primary is read');
    return DIRECT;
  });
  const standby = createDatabase({
    connectionString: databaseReadUrl,
    applicationName: 'gridlens-reads',
    ...limits,
    boundStatements: true,
    pooling,
    takesWrites: false,
    onIdleError,
  });
  const reads = readFromStandby(primary, standby, databaseReadMaxStalenessSeconds);
  const look = saidOnce(reads.look, log);
  const looking = runPeriodically('comparing the standby', LOOK_EVERY_MS, look, log);
  return {
    ...reads,
    async close() {
      await looking.stop();
      await standby.end();
    },
  };
}

/** A standby may be away for days, or be none any more, and is looked at every second: each reason is logged once. */
function saidOnce(look: () => Promise<void>, log: Logger): () => Promise<void> {
  let trouble: string | undefined;
  return () =>
    look().then(
      () => {
        if (trouble !== undefined) log.info('the standby is compared again');
        trouble = undefined;
      },
      ({ message }: Error) => {
        if (trouble !== message)
          log.warn({ reason: message }, 'the standby cannot be compared: the primary is read');
        trouble = message;
      },
    );
}
