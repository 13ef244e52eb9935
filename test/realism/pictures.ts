import { mkdir, writeFile } from 'node:fs/promises';
import { defaultSeed } from '../../src/emulator/chance/random.js';
import { fleetYear } from './fleetYear.js';
import { dayShapes } from './pictures/dayShapes.js';
import { feederLoss } from './pictures/feederLoss.js';
import { homeWeek } from './pictures/homeWeek.js';
import { seasons } from './pictures/seasons.js';
import { sizes } from './pictures/sizes.js';
import { voltages } from './pictures/voltages.js';

/** `npm run realism:pictures`: draws docs/realism/*.svg from reads, the same bytes each time. */
const sample = {
  tenantId: 'DEMO_TENANT',
  seed: defaultSeed('DEMO_TENANT'),
  climate: 'us',
  timeZone: 'UTC',
} as const;
const METERS = 5_000;
const year = fleetYear(sample, METERS, 3);

const pictures: Record<string, string> = {
  'day-shapes': dayShapes(sample),
  'home-week': homeWeek(sample),
  seasons: seasons(year, fleetYear({ ...sample, climate: 'germany' }, METERS, 3)),
  sizes: sizes(year),
  'feeder-loss': feederLoss(year),
  voltages: voltages(year),
};

const folder = new URL('../../docs/realism/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(pictures)) {
  await writeFile(new URL(`${name}.svg`, folder), text);
  process.stdout.write(`docs/realism/${name}.svg  ${Math.round(text.length / 1000)} kB\n`);
}
