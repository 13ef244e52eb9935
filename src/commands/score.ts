import { parseArgs } from 'node:util';
import { tenantId } from '../contracts/fields.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { scoreSuspicion } from '../score/score.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, json, leaveWith, orSay } from './commandLine.js';
import { scoreReport } from './scoreReport.js';

const USAGE = `npm run score -- --tenant DEMO_TENANT [--json]

Says how well the reads alone give away the thefts that were injected: precision and recall over meters and days.`;

/** `npm run score -- --tenant T`: how well the reads alone give away the thefts that were injected. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { tenant, asJson } = options(args);
  const database = await openCommandDatabase(loadConfig(process.env, { command: 'score' }), 'gridlens-score');
  const score = await scoreSuspicion(database, tenant);
  await database.end();
  return leaveWith(asJson ? json({ tenantId: tenant, ...score }) : scoreReport(tenant, score));
});

function options(args: string[]): { tenant: string; asJson: boolean } {
  return orSay('Name the tenant to score: npm run score -- --tenant DEMO_TENANT', () => {
    const { values } = parseArgs({
      args,
      options: { tenant: { type: 'string' }, json: { type: 'boolean' } },
    });
    return { tenant: tenantId.parse(values.tenant), asJson: values.json === true };
  });
}
