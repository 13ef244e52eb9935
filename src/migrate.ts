import { loadConfig } from './config.js';
import { prepareStorage } from './context.js';
import { runProcess } from './lifecycle.js';
import { createLogger } from './log.js';
import { requirePostgres } from './stores/serverVersion.js';

/** Brings the schema up to date and ends. API and worker do the same when they start; this is for a role of its own. */
await runProcess(async () => {
  const config = loadConfig(process.env, { command: 'migrate' });
  const log = createLogger('migrate', config.logLevel);
  const databaseUrl = config.databaseUrl ?? '';
  await requirePostgres(databaseUrl);
  await prepareStorage(databaseUrl, config.redisUrl === undefined, log);
  log.info('the schema is up to date');
  process.exit(0);
});
