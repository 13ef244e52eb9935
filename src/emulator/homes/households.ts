import { between, has, uniform, whole } from '../chance/traits.js';

/** Who lives in a home, and when they are there. Quarter hours count from four in the morning. */
export const HOUSEHOLDS = [
  'couple',
  'single',
  'family',
  'retired',
  'atHome',
  'shifts',
  'students',
  'second',
  'vacant',
] as const;
export type HouseholdKind = (typeof HOUSEHOLDS)[number];

interface Habits {
  /** Share of homes: households by type (ONS, Families and Households 2022; US and German censuses are alike to a
   * few hundredths); shift work one employee in seven (ONS; Eurostat), second homes and vacancy by the censuses. */
  share: number;
  persons: readonly [least: number, most: number];
  /** Probability that somebody is at home during a working day, least and most over such households. */
  daytime: readonly [number, number];
  /** When they get up, and go to bed: middle over households, and the spread about it, quarter hours. */
  wake: number;
  bed: number;
  spread: number;
}

/**
 * Hours: the middle of the harmonised European and American time use surveys (7 h and 23 h on working days; students
 * and the retired later), the spread about them as Richardson 2010 found for active occupancy.
 */
const HABITS: Readonly<Record<HouseholdKind, Habits>> = {
  couple: { share: 0.22, persons: [2, 2], daytime: [0.05, 0.5], wake: 11, bed: 76, spread: 4 },
  single: { share: 0.15, persons: [1, 1], daytime: [0.03, 0.4], wake: 12, bed: 77, spread: 6 },
  family: { share: 0.25, persons: [3, 5], daytime: [0.25, 0.85], wake: 10, bed: 75, spread: 3 },
  retired: { share: 0.2, persons: [1, 2], daytime: [0.75, 0.99], wake: 14, bed: 74, spread: 5 },
  atHome: { share: 0.08, persons: [1, 4], daytime: [0.7, 0.98], wake: 14, bed: 78, spread: 6 },
  shifts: { share: 0.05, persons: [1, 3], daytime: [0.3, 0.7], wake: 12, bed: 76, spread: 6 },
  students: { share: 0.02, persons: [2, 5], daytime: [0.3, 0.7], wake: 22, bed: 84, spread: 6 },
  second: { share: 0.012, persons: [1, 3], daytime: [0.6, 0.9], wake: 17, bed: 77, spread: 4 },
  vacant: { share: 0.008, persons: [0, 0], daytime: [0, 0], wake: 16, bed: 76, spread: 0 },
};

/** Whole numbers throughout, which lie in the object itself; probabilities in 65,536ths (`PROBABILITY`). */
export interface Household {
  /** Place in `HOUSEHOLDS`. */
  kind: number;
  persons: number;
  /** Probability that somebody is at home during a working day, and during a day off. */
  daytime: number;
  daytimeOff: number;
  wake: number;
  wakeOff: number;
  leave: number;
  comeBack: number;
  bed: number;
  /** How far a day's hours depart from these at most, quarter hours: some live by the clock, some do not. */
  looseness: number;
  /** Probability of a day away from home that nothing announces, and of an evening out. */
  dayAway: number;
  eveningOut: number;
  /** Probability that a fortnight has a journey in it, and that a third of a year has a long one. */
  trip: number;
  longTrip: number;
}

export const PROBABILITY = 65_536;
export const SHIFTS = HOUSEHOLDS.indexOf('shifts');
export const SECOND_HOME = HOUSEHOLDS.indexOf('second');
export const VACANT = HOUSEHOLDS.indexOf('vacant');

const SHARES = HOUSEHOLDS.map((kind) => HABITS[kind].share);
const ALL = SHARES.reduce((sum, share) => sum + share, 0);

function kindAt(place: number): HouseholdKind {
  let left = place * ALL;
  for (const kind of HOUSEHOLDS) {
    left -= HABITS[kind].share;
    if (left < 0) return kind;
  }
  return 'couple';
}

const share = (probability: number): number => Math.round(probability * PROBABILITY);

/** Triangular about a middle, from two traits. */
function about(key: number, trait: number, middle: number, by: number): number {
  return Math.round(middle + by * (uniform(key, trait) + uniform(key, trait + 1) - 1) * 1.6);
}

/**
 * Traits 0 to 19 of a customer.
 *
 * @param mostJourneys probability that a fortnight has a journey in it, of the household that travels most.
 */
export function createHousehold(key: number, mostJourneys: number): Household {
  const kind = kindAt(uniform(key, 0));
  const { persons, daytime, wake, bed, spread } = HABITS[kind];
  const up = Math.max(2, about(key, 1, wake, spread));
  const secondHome = kind === 'second';
  const vacant = kind === 'vacant';
  return {
    kind: HOUSEHOLDS.indexOf(kind),
    persons: whole(key, 3, ...persons),
    daytime: share(between(key, 4, ...daytime)),
    daytimeOff: share(between(key, 5, 0.1, 0.97)),
    wake: up,
    wakeOff: up + whole(key, 6, 0, kind === 'retired' ? 2 : 10),
    leave: up + whole(key, 7, 4, 8),
    comeBack: about(key, 8, 54, 8),
    bed: Math.min(92, about(key, 10, bed, spread + 2)),
    looseness: whole(key, 12, 1, 14),
    dayAway: share(vacant || secondHome ? 0 : between(key, 13, 0.001, 0.02) * (kind === 'single' ? 1.8 : 1)),
    eveningOut: share(between(key, 14, 0.02, kind === 'retired' ? 0.1 : 0.22)),
    trip: share(secondHome ? 0.35 : vacant ? 0 : uniform(key, 15) ** 2 * mostJourneys),
    longTrip: share(kind === 'students' ? 0.5 : has(key, 16, 0.12) ? 0.3 : 0),
  };
}
