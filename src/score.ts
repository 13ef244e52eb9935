import { parseArgs } from 'node:util';
import { openCommandDatabase } from './commandDatabase.js';
import { loadConfig } from './config.js';
import { StartupError } from './contracts/errors.js';
import { tenantId } from './contracts/requests.js';
import { runProcess } from './lifecycle.js';
import { type Score, scoreSuspicion } from './services/score.js';

/** `npm run score -- --tenant T`: how well the reads alone give away the thefts that were injected. */
await runProcess(async () => {
  const tenant = tenantOf(process.argv.slice(2));
  const database = await openCommandDatabase(loadConfig(process.env, { command: 'score' }), 'gridlens-score');
  const score = await scoreSuspicion(database, tenant);
  await database.end();
  process.stdout.write(report(tenant, score));
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

function report(tenant: string, score: Score): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const share = ((100 * score.named) / score.meterDays).toFixed(2);
  const ratio = (value: number | null): string => value?.toFixed(3) ?? '– (there is nothing to divide by)';
  return [
    `Tenant ${tenant}, UTC days from ${score.from} to before ${score.to}: ${count(score.meterDays)} meter-days with reads.`,
    '',
    `  stolen from (events and ledger)  ${count(score.injected)} meter-days`,
    `  named suspicious (reads alone)   ${count(score.named)} meter-days, ${share} % of all`,
    `  both                             ${count(score.right)} meter-days`,
    '',
    `  precision  ${ratio(score.precision)}`,
    `  recall     ${ratio(score.recall)}`,
    ...examples('missed', score.missed),
    ...examples('wrongly named', score.wronglyNamed),
    '',
  ].join('\n');
}

/** As many as one looks into by hand. */
const EXAMPLES = 10;

function examples(what: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const more = keys.length > EXAMPLES ? ` and ${keys.length - EXAMPLES} more` : '';
  return ['', `  ${what}: ${keys.slice(0, EXAMPLES).join(', ')}${more}`];
}
