import { mkdir, writeFile } from 'node:fs/promises';
import { defaultSeed } from '../../src/emulator/chance/random.js';
import { fleetYear } from './fleetYear.js';
import { emulatedYear } from './homes/emulatedHomes.js';
import { homeStatistics } from './homes/homeStatistics.js';
import { realHomes } from './homes/realHomes.js';
import { archetypes } from './pictures/archetypes.js';
import { carsTogether } from './pictures/carsTogether.js';
import { dayShapes } from './pictures/dayShapes.js';
import { duckCurve } from './pictures/duckCurve.js';
import { feederLoss } from './pictures/feederLoss.js';
import { homeWeek } from './pictures/homeWeek.js';
import { realAndEmulated } from './pictures/realAndEmulated.js';
import { seasons } from './pictures/seasons.js';
import { sizes } from './pictures/sizes.js';
import { spreads } from './pictures/spreads.js';
import { tradeKinds } from './pictures/tradeKinds.js';
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

const london = realHomes('london');
const { homes } = emulatedYear({ model: 2, place: 'uk', seed: '1', year: 2013, meters: 90 }, 48);
const weeks = realAndEmulated(london, homes);

const pictures: Record<string, string> = {
  'day-shapes': dayShapes(sample),
  'home-week': homeWeek(sample),
  seasons: seasons(year, fleetYear({ ...sample, climate: 'germany' }, METERS, 3)),
  sizes: sizes(year),
  'feeder-loss': feederLoss(year),
  voltages: voltages(year),
  'real-and-emulated': weeks.picture,
  spreads: spreads(
    london.map(homeStatistics),
    homes.map(homeStatistics).filter((home) => home.kwhPerDay > 0.05),
  ),
  archetypes: archetypes(),
  trade: tradeKinds(),
  'duck-curve': duckCurve(),
  'cars-together': carsTogether(),
};

const folder = new URL('../../docs/realism/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(pictures)) {
  await writeFile(new URL(`${name}.svg`, folder), text);
  process.stdout.write(`docs/realism/${name}.svg  ${Math.round(text.length / 1000)} kB\n`);
}
process.stdout.write(`real homes in docs/realism/real-and-emulated.svg: ${weeks.key}\n`);
