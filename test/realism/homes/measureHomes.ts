import type { PlaceModel } from '../../../src/contracts/emulation.js';
import type { Place } from '../../../src/contracts/places.js';
import { dayKind, HOLIDAY } from '../../../src/emulator/calendar/dayKind.js';
import { quantile } from '../../support/quantiles.js';
import type { Figure } from '../bands.js';
import { correlation, deviation, mean } from '../statistics.js';
import { coarser, type EmulatedYear, emulatedYear } from './emulatedHomes.js';
import { HOME_BANDS, OVER_HOMES } from './homeBands.js';
import { type HomeSeries, type HomeStatistics, homeStatistics } from './homeStatistics.js';
import { type RealSet, realHomes } from './realHomes.js';
import { toldApart } from './twoSample.js';

/** What a place's homes are held to, measured on a year of reads of one place and seed. */

/** The real set that a place is compared with, and its year: weekdays and holidays fall as they did. */
const COMPARED: Partial<Record<Place, { set: RealSet; year: number }>> = {
  uk: { set: 'london', year: 2013 },
  germany: { set: 'belgium', year: 2016 },
  'us-south': { set: 'california', year: 2017 },
};
/** A home whose mean load is below this has no shape to be told by, kWh a day. */
const SHAPELESS = 0.05;

export function measureHomes(model: PlaceModel, place: Place, seed: string, meters: number): Figure[] {
  const compared = COMPARED[place];
  const year = compared?.year ?? 2026;
  const emulated = emulatedYear({ model, place, seed, year, meters }, 48);
  const homes = emulated.homes.map(homeStatistics).filter((home) => home.kwhPerDay > SHAPELESS);
  // Homes with central cooling are another kind; their bands are what California's few homes show.
  const byTable = place === 'us-south' ? [] : tableFigures(homes);
  return [
    ...byTable,
    ...overHomes(homes, place),
    ...together(emulated, place),
    ...holidayFigures(emulated, place, year),
    ...(compared === undefined ? [] : [toldApartFigure(compared.set, emulated, homes)]),
  ];
}

function toldApartFigure(set: RealSet, { homes }: EmulatedYear, at30: readonly HomeStatistics[]): Figure {
  const real = realHomes(set).map(homeStatistics);
  const hourly = set === 'london' ? at30 : homes.map((home) => homeStatistics(coarser(home, 2)));
  return {
    what: `told apart from ${set}, area under the curve`,
    band: set === 'london' ? OVER_HOMES.london : OVER_HOMES.others,
    measured: toldApart(
      real,
      hourly.filter((home) => home.kwhPerDay > SHAPELESS),
    ),
  };
}

function tableFigures(homes: readonly HomeStatistics[]): Figure[] {
  return HOME_BANDS.flatMap(({ what, of, ...bands }) => {
    const values = homes.map((home) => home[of] as number);
    return (['p5', 'median', 'p95'] as const).map((which) => ({
      what: `homes: ${what}, ${which}`,
      band: bands[which],
      measured: quantile(values, { p5: 0.05, median: 0.5, p95: 0.95 }[which]),
    }));
  });
}

function overHomes(homes: readonly HomeStatistics[], place: Place): Figure[] {
  const spread = (of: 'variation' | 'step' | 'lagOne') => deviation(homes.map((home) => home[of]));
  const likeOthers = profilesLikeOthers(homes);
  const pairs = homes.flatMap((home, index) =>
    homes.slice(0, index).map((other) => correlation(home.daily, other.daily)),
  );
  const figures: Figure[] = [
    {
      what: 'standard deviation over homes: variation',
      band: OVER_HOMES.variationSpread,
      measured: spread('variation'),
    },
    { what: 'standard deviation over homes: step', band: OVER_HOMES.stepSpread, measured: spread('step') },
    {
      what: 'standard deviation over homes: 30 min',
      band: OVER_HOMES.lagOneSpread,
      measured: spread('lagOne'),
    },
    {
      what: 'homes with three low days on end in a year, share',
      band: OVER_HOMES.awayRuns,
      measured: homes.filter((home) => home.lowRun >= 3).length / homes.length,
    },
    {
      what: 'daily kWh of two homes, correlation, p5',
      band: OVER_HOMES.pairsP5,
      measured: quantile(pairs, 0.05),
    },
  ];
  const profiles: Figure[] = (
    [
      ['p5', 0.05, OVER_HOMES.profileP5],
      ['median', 0.5, OVER_HOMES.profileMedian],
      ['p95', 0.95, OVER_HOMES.profileP95],
    ] as const
  ).map(([name, share, band]) => ({
    what: `weekday profile against the others’ mean, ${name}`,
    band,
    measured: quantile(likeOthers, share),
  }));
  // Cooling and spread are others in the one American set there is, so only places like London's are held to these.
  return place === 'us-south' ? figures.slice(3, 4) : [...figures, ...profiles];
}

/** Correlation of each weekday profile with the mean of all others, each relative to its own mean. */
function profilesLikeOthers(homes: readonly { profile: Float64Array }[]): number[] {
  const shapes = homes.map(({ profile }) => profile.map((value) => value / mean(profile)));
  const all = (shapes[0] as Float64Array).map((_, slot) =>
    shapes.reduce((sum, shape) => sum + (shape[slot] as number), 0),
  );
  return shapes
    .map((shape) =>
      correlation(
        shape,
        all.map((sum, slot) => sum - (shape[slot] as number)),
      ),
    )
    .filter((value) => !Number.isNaN(value));
}

function sumOf(homes: readonly HomeSeries[]): HomeSeries {
  const { kwh, perDay, firstWeekday } = homes[0] as HomeSeries;
  const total = kwh.map((_, at) => homes.reduce((sum, home) => sum + (home.kwh[at] as number), 0));
  return { kwh: total, perDay, firstWeekday };
}

function together({ homes, trade }: EmulatedYear, place: Place): Figure[] {
  const all = sumOf(homes);
  const { saturday, sunday } = homeStatistics(all);
  const figures: Figure[] = [
    { what: 'all homes, Saturday against weekday', band: OVER_HOMES.saturday, measured: saturday },
    { what: 'all homes, Sunday against weekday', band: OVER_HOMES.sunday, measured: sunday },
    { what: 'coincidence of ten homes', band: OVER_HOMES.tenTogether, measured: coincidence(homes, 10) },
    {
      what: 'trade: weekday profile against the others’ mean, p5',
      band: OVER_HOMES.tradeProfileP5,
      measured: quantile(profilesLikeOthers(trade.map(homeStatistics)), 0.05),
    },
  ];
  if (homes.length >= 100)
    figures.push({
      what: 'coincidence of a hundred homes',
      band: OVER_HOMES.hundredTogether,
      measured: coincidence(homes, 100),
    });
  if (homes.length >= 300)
    figures.push({
      what: 'largest step of a day, all homes',
      band: OVER_HOMES.step,
      measured: largestStep(all),
    });
  // What homes do together is known of London's, which have no cooling.
  return place === 'us-south'
    ? figures.filter(({ what }) => !/^(coincidence|largest step)/.test(what))
    : figures;
}

/** The highest load of so many homes together against the sum of their own: the median over groups. */
function coincidence(homes: readonly HomeSeries[], count: number): number {
  const most = (kwh: Float64Array) => kwh.reduce((high, value) => Math.max(high, value), 0);
  const groups = Array.from({ length: Math.floor(homes.length / count) }, (_, group) => {
    const members = homes.slice(group * count, (group + 1) * count);
    return most(sumOf(members).kwh) / members.reduce((sum, home) => sum + most(home.kwh), 0);
  });
  return quantile(groups, 0.5);
}

function largestStep({ kwh, perDay }: HomeSeries): number {
  const level = mean(kwh);
  const days = Array.from({ length: kwh.length / perDay }, (_, day) => {
    let largest = 0;
    for (let at = day * perDay + 1; at < (day + 1) * perDay; at += 1)
      largest = Math.max(largest, Math.abs((kwh[at] as number) - (kwh[at - 1] as number)));
    return largest / level;
  });
  return quantile(days, 0.5);
}

/** Public holidays on weekdays against Sundays of the year, all homes together; the days before are of the same season. */
function holidayFigures({ homes }: EmulatedYear, place: Place, year: number): Figure[] {
  const all = sumOf(homes);
  const first = Date.UTC(year, 0, 1) / 86_400_000;
  const shape = (belongs: (day: number, weekday: number) => boolean) => {
    const sum = new Float64Array(all.perDay);
    let days = 0;
    for (let day = 0; day < 365; day += 1) {
      if (!belongs(first + day, (all.firstWeekday + day) % 7)) continue;
      days += 1;
      for (let slot = 0; slot < all.perDay; slot += 1)
        sum[slot] = (sum[slot] as number) + (all.kwh[day * all.perDay + slot] as number);
    }
    return sum.map((value) => value / days);
  };
  const holiday = shape((day, weekday) => weekday < 5 && dayKind(place, day) === HOLIDAY);
  const sunday = shape((_, weekday) => weekday === 6);
  const weekday = shape((day, of) => of < 5 && dayKind(place, day) !== HOLIDAY);
  return [
    {
      what: 'holidays: shape against Sunday’s, correlation',
      band: OVER_HOMES.holidayShape,
      measured: correlation(holiday, sunday),
    },
    {
      what: 'holidays: level against a weekday',
      band: OVER_HOMES.holidayLevel,
      measured: mean(holiday) / mean(weekday),
    },
  ];
}
