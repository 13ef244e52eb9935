import { parseArgs } from 'node:util';
import { tenantId } from '../contracts/fields.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { scoreSuspicion } from '../score/score.js';
import { openCommandDatabase } from './commandDatabase.js';
import { leaveWith, orSay } from './commandLine.js';
import { scoreReport } from './scoreReport.js';

/** `npm run score -- --tenant T`: how well the reads alone give away the thefts that were injected. */
await runProcess(async () => {
  const tenant = tenantOf(process.argv.slice(2));
  const database = await openCommandDatabase(loadConfig(process.env, { command: 'score' }), 'gridlens-score');
  const score = await scoreSuspicion(database, tenant);
  await database.end();
  return leaveWith(scoreReport(tenant, score));
});

function tenantOf(args: string[]): string {
  return orSay('Name the tenant to score: npm run score -- --tenant DEMO_TENANT', () => {
    const { values } = parseArgs({ args, options: { tenant: { type: 'string' } } });
    return tenantId.parse(values.tenant);
  });
}
