import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '../process/config.js';
import { openMigrationDatabase, preparePlaces } from '../process/context.js';
import { runProcess } from '../process/lifecycle.js';
import { createLogger } from '../process/log.js';
import { type PostgresPlaces, requirePostgresPlaces } from '../process/postgresPlaces.js';
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
  const places = await requirePostgresPlaces(config);
  if (plan) return leaveWith(await planned(config, places));
  await preparePlaces(places, log, config.defaultTenantId);
  log.info('the schema is up to date');
  process.exit(0);
});

async function planned({ defaultTenantId }: Config, places: PostgresPlaces): Promise<string> {
  const database = openMigrationDatabase(places.databaseUrl, () => undefined, places.pooling);
  const plan = await planSchema(database, {
    defaultTenantId,
    queueSchema: places.queue?.schema,
    now: new Date(),
  });
  await database.end();
  return planReport(plan);
}

function options(args: string[]): { plan: boolean } {
  return orSay('npm run migrate takes no argument but --plan: npm run migrate -- --plan', () => ({
    plan: parseArgs({ args, options: { plan: { type: 'boolean' } } }).values.plan === true,
  }));
}
