import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '../process/config.js';
import { openMigrationDatabase, preparePlaces } from '../process/context.js';
import { runProcess } from '../process/lifecycle.js';
import { createLogger } from '../process/log.js';
import { type PostgresPlaces, requirePostgresPlaces } from '../process/postgresPlaces.js';
import { planReport, planSchema } from '../schema/schemaPlan.js';
import { asksForHelp, json, leaveWith, orSay } from './commandLine.js';

const USAGE = `npm run migrate
npm run migrate -- --plan [--json]

Brings the schema of DATABASE_URL up to date, and says in its log what it did. --plan says what that would change, and
changes nothing.`;

/**
 * Brings the schema up to date and ends; `--plan` says what that would change, and changes nothing. API and worker do
 * the same when they start; this is for a role of its own.
 */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { plan, asJson } = options(args);
  const config = loadConfig(process.env, { command: 'migrate' });
  const log = createLogger('migrate', config.logLevel);
  const places = await requirePostgresPlaces(config);
  if (plan) return leaveWith(await planned(config, places, asJson));
  await preparePlaces(places, log, config.defaultTenantId);
  log.info('the schema is up to date');
  process.exit(0);
});

async function planned(
  { defaultTenantId }: Config,
  places: PostgresPlaces,
  asJson: boolean,
): Promise<string> {
  const database = openMigrationDatabase(places.databaseUrl, () => undefined, places.pooling);
  const plan = await planSchema(database, {
    defaultTenantId,
    queueSchema: places.queue?.schema,
    now: new Date(),
  });
  await database.end();
  return asJson ? json(plan) : planReport(plan);
}

function options(args: string[]): { plan: boolean; asJson: boolean } {
  return orSay('npm run migrate takes no argument but --plan: npm run migrate -- --plan', () => {
    const { values } = parseArgs({ args, options: { plan: { type: 'boolean' }, json: { type: 'boolean' } } });
    if (values.json && !values.plan) throw new Error('only a plan is shown');
    return { plan: values.plan === true, asJson: values.json === true };
  });
}
