import { parseArgs } from 'node:util';
import { tenantId } from '../contracts/fields.js';
import { scoreDataset } from '../datasets/scoreDataset.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { scoreSuspicion } from '../score/score.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, json, leaveWith, orSay } from './commandLine.js';
import { fromCaller } from './scenarioFile.js';
import { datasetScoreReport, scoreReport } from './scoreReport.js';

const USAGE = `npm run score -- --tenant DEMO_TENANT [--json]
npm run score -- --dataset DIR [--json]

Says how well the reads alone give away the thefts that were injected: precision and recall over meters and days.
--dataset says the same of a data set (docs/datasets.md), which needs no database.`;

/** `npm run score -- --tenant T`: how well the reads alone give away the thefts that were injected. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { tenant, dataset, asJson } = options(args);
  if (dataset !== undefined) {
    const score = await scoreDataset(fromCaller(dataset));
    return leaveWith(asJson ? json({ dataset, ...score }) : datasetScoreReport(dataset, score));
  }
  const database = await openCommandDatabase(loadConfig(process.env, { command: 'score' }), 'gridlens-score');
  const score = await scoreSuspicion(database, tenant);
  await database.end();
  return leaveWith(asJson ? json({ tenantId: tenant, ...score }) : scoreReport(tenant, score));
});

function options(args: string[]): { tenant: string; dataset?: string; asJson: boolean } {
  return orSay(
    'Name the tenant to score: npm run score -- --tenant DEMO_TENANT, or a data set alone: npm run score -- --dataset DIR',
    () => {
      const { values } = parseArgs({
        args,
        options: { tenant: { type: 'string' }, dataset: { type: 'string' }, json: { type: 'boolean' } },
      });
      const { dataset } = values;
      if (dataset && values.tenant === undefined)
        return { tenant: '', dataset, asJson: values.json === true };
      if (dataset !== undefined) throw new Error('one of them');
      return { tenant: tenantId.parse(values.tenant), asJson: values.json === true };
    },
  );
}
