import { parseArgs } from 'node:util';
import { CLIMATES } from '../../src/contracts/place.js';
import { defaultSeed } from '../../src/emulator/chance/random.js';
import { holds, line } from './bands.js';
import { BRIEF, measure, THOROUGH } from './measure.js';

/**
 * `npm run realism [-- --seed X --tenant T --climate us|germany --brief]`: every figure of docs/realism.md, as
 * measured on reads, against its band. Exits 1 when one is outside.
 */
const { values } = parseArgs({
  options: {
    tenant: { type: 'string', default: 'DEMO_TENANT' },
    seed: { type: 'string' },
    climate: { type: 'string', default: 'us' },
    brief: { type: 'boolean', default: false },
  },
});
const climate = CLIMATES.find((known) => known === values.climate);
if (climate === undefined) throw new Error(`--climate must be one of ${CLIMATES.join(', ')}`);
const sample = {
  tenantId: values.tenant,
  seed: values.seed ?? defaultSeed(values.tenant),
  climate,
  timeZone: 'UTC',
};

const print = (text: string) => process.stdout.write(`${text}\n`);
print(`tenant ${sample.tenantId}, seed ${sample.seed}, climate ${sample.climate}, time zone UTC, year 2026`);
const figures = measure(sample, values.brief ? BRIEF : THOROUGH);
for (const figure of figures) print(line(figure));
const outside = figures.filter((figure) => !holds(figure));
print(
  outside.length === 0
    ? `All ${figures.length} figures lie in their bands.`
    : `${outside.length} of ${figures.length} figures lie outside; again with: npm run realism -- --tenant ${sample.tenantId} --seed '${sample.seed}' --climate ${climate}`,
);
process.exitCode = outside.length === 0 ? 0 : 1;
