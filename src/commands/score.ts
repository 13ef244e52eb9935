import { parseArgs } from 'node:util';
import { StartupError } from '../contracts/errors.js';
import { tenantId } from '../contracts/fields.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { scoreSuspicion } from '../score/score.js';
import { openCommandDatabase } from './commandDatabase.js';
import { scoreReport } from './scoreReport.js';

/** `npm run score -- --tenant T`: how well the reads alone give away the thefts that were injected. */
await runProcess(async () => {
  const tenant = tenantOf(process.argv.slice(2));
  const database = await openCommandDatabase(loadConfig(process.env, { command: 'score' }), 'gridlens-score');
  const score = await scoreSuspicion(database, tenant);
  await database.end();
  process.stdout.write(scoreReport(tenant, score));
  process.exit(0);
});

function tenantOf(args: string[]): string {
  const usage = 'Name the tenant to score: npm run score -- --tenant DEMO_TENANT';
  try {
    const { values } = parseArgs({ args, options: { tenant: { type: 'string' } } });
    return tenantId.parse(values.tenant);
  } catch (error) {
    throw new StartupError(usage, { cause: error });
  }
}
