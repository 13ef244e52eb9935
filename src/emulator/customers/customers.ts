import type { Customers } from '../../contracts/emulation.js';
import { type Randomness, STREAM } from '../chance/random.js';

/** Who the customers are: their class, and how large each is. */
export const CUSTOMER_CLASSES = ['residential', 'commercial', 'industrial'] as const;
export type CustomerClass = (typeof CUSTOMER_CLASSES)[number];

/** Share of customers by count (EIA, realism.md). */
export const CLASS_SHARE: Readonly<Record<CustomerClass, number>> = {
  residential: 0.87,
  commercial: 0.125,
  industrial: 0.005,
};

/**
 * Mean consumption of a customer, kWh per day. Homes: 10,715 kWh per year (EIA FAQ 97). The others are chosen so that
 * the classes' totals stand to each other as US sales do: 1,509, 1,391 and 1,020 TWh in 2022 (EIA Electric Power
 * Monthly, table 5.1) over the shares by count above.
 */
export const MEAN_KWH_PER_DAY: Readonly<Record<CustomerClass, number>> = {
  residential: 29.3,
  commercial: 188,
  industrial: 3_450,
};

/**
 * Spread of a year's consumption over the customers of a class, sdlog. Homes: 0.45–0.70 (Kuusela 2015; ten
 * Australian homes: 0.57). A kiosk and a department store are further apart; industry is bounded above, since
 * the largest plants are not on a distribution feeder. The latter two are this project's assumptions.
 */
const SIZE_SDLOG: Readonly<Record<CustomerClass, number>> = {
  residential: 0.54,
  commercial: 1.1,
  industrial: 0.8,
};
/** Sizes end at three standard deviations: a home at 4.4 times the mean, 130 kWh per day. */
const SIZE_LIMIT = 3;

/** Homes that stand empty for good, and what they draw of their size: a meter, a freezer, a pump. */
const VACANT_SHARE = 0.008;
const VACANT_DRAW = 0.12;
const OCCUPIED_DRAW = 1 / (1 - VACANT_SHARE * (1 - VACANT_DRAW));

/** Shares of the classes on one feeder; they sum to 1. */
export type CustomerMix = Readonly<Record<CustomerClass, number>>;

/**
 * The mix of a feeder (1-based) among `feederCount`: residential suburbs, streets of shops, a few estates with
 * most of the industry. The feeders stand on a ladder from no trade to much of it, each on a step of its own, in an
 * order that looks random. With independent draws the fleet as a whole would not keep its shares.
 */
export function feederMix(
  random: Randomness,
  feeder: number,
  feederCount: number,
  customers: Customers = {},
): CustomerMix {
  const first = Math.floor(random.uniform(STREAM.feederMix, 0, 0) * feederCount);
  return mixAt((((first + feeder * stride(feederCount)) % feederCount) + 0.5) / feederCount, customers);
}

/**
 * The mix of a feeder that has no number: it draws a place on the same ladder, so that feeders can come and go without
 * changing the mix of another. A fleet of such feeders keeps its shares on average only.
 */
export function feederMixOf(
  random: Randomness,
  feederSubject: number,
  customers: Customers = {},
): CustomerMix {
  return mixAt(random.uniform(STREAM.feederMix, feederSubject, 0), customers);
}

/**
 * @param place on the ladder from no trade, 0, to much of it, 1.
 * @param customers the fleet's shares, where they are not the usual ones.
 */
function mixAt(place: number, customers: Customers): CustomerMix {
  const shares = { ...CLASS_SHARE, ...customers };
  // 1/4 to 5/2 of the fleet's share with mean 1, and 0 to 3 times; industry stands where trade is strong too.
  const commercial = shares.commercial * (0.25 + 2.25 * place ** 2);
  const industrial = shares.industrial * 3 * ((place + 0.15) % 1) ** 2;
  return { residential: 1 - commercial - industrial, commercial, industrial };
}

/** A step about 0.62 of the way round that visits every place: it shares no divisor with their number. */
function stride(places: number): number {
  let step = Math.max(1, Math.round(places * 0.618));
  while (commonDivisor(step, places) > 1) step += 1;
  return step;
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}

/** The class of a meter (1-based number) on a feeder of this mix. */
export function customerClass(random: Randomness, meter: number, mix: CustomerMix): CustomerClass {
  const place = random.uniform(STREAM.customerClass, meter, 0);
  if (place < mix.residential) return 'residential';
  return place < mix.residential + mix.commercial ? 'commercial' : 'industrial';
}

/** A customer's size relative to the mean of its class, which never changes: lognormal, mean 1 over the class. */
export function customerSize(random: Randomness, meter: number, itsClass: CustomerClass): number {
  const sdlog = SIZE_SDLOG[itsClass];
  const deviate = random.normal(STREAM.customerSize, meter, 0);
  const size = Math.exp(sdlog * Math.max(-SIZE_LIMIT, Math.min(SIZE_LIMIT, deviate)) - sdlog ** 2 / 2);
  if (itsClass !== 'residential') return size;
  const vacant = random.uniform(STREAM.vacancy, meter, 0) < VACANT_SHARE;
  return size * OCCUPIED_DRAW * (vacant ? VACANT_DRAW : 1);
}
