import { parseArgs } from 'node:util';
import { requirePostgres } from '../db/requirePostgres.js';
import { type Config, loadConfig } from '../process/config.js';
import { openMigrationDatabase, prepareStorage } from '../process/context.js';
import { runProcess } from '../process/lifecycle.js';
import { createLogger } from '../process/log.js';
import { planReport, planSchema } from '../schema/schemaPlan.js';
import { leaveWith, orSay } from './commandLine.js';

/**
 * Brings the schema up to date and ends; `--plan` says what that would change, and changes nothing. API and worker do
 * the same when they start; this is for a role of its own.
 */
await runProcess(async () => {
  const { plan } = options(process.argv.slice(2));
  const config = loadConfig(process.env, { command: 'migrate' });
  const log = createLogger('migrate', config.logLevel);
  await requirePostgres(config.databaseUrl ?? '');
  if (plan) return leaveWith(await planned(config));
  const { databaseUrl = '', redisUrl, defaultTenantId } = config;
  await prepareStorage(databaseUrl, redisUrl === undefined, log, defaultTenantId);
  log.info('the schema is up to date');
  process.exit(0);
});

async function planned({ databaseUrl = '', redisUrl, defaultTenantId }: Config): Promise<string> {
  const database = openMigrationDatabase(databaseUrl, () => undefined);
  const queueInPostgres = redisUrl === undefined;
  const plan = await planSchema(database, { defaultTenantId, queueInPostgres, now: new Date() });
  await database.end();
  return planReport(plan);
}

function options(args: string[]): { plan: boolean } {
  return orSay('npm run migrate takes no argument but --plan: npm run migrate -- --plan', () => ({
    plan: parseArgs({ args, options: { plan: { type: 'boolean' } } }).values.plan === true,
  }));
}
