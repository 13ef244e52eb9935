import type { Place } from '../../../src/contracts/places.js';
import type { Figure } from '../bands.js';

/** What stands behind the meters is held to; where each band is from: docs/realism.md. */
type Banded = Pick<Figure, 'what' | 'band'>;

/**
 * A year's yield. Germany: 816 to 1,049 kWh/kWp by region and year, of 23,944 roofs (te Heesen et al., Solar Energy 194, 2019).
 * UK: 850 by the standard assessment procedure, over 1,000 in the south west. Texas and the others: PVWatts for a roof
 * that faces the noon sun, of which one that is turned by up to 90° has a fifth less at the most.
 */
export const YIELD_BANDS: Readonly<Record<Place, Banded>> = {
  germany: { what: 'sun: yield of a roof, kWh/kWp', band: [816, 1_049] },
  uk: { what: 'sun: yield of a roof, kWh/kWp', band: [800, 1_000] },
  'us-south': { what: 'sun: yield of a roof, kWh/kWp', band: [1_180, 1_520] },
  'us-northeast': { what: 'sun: yield of a roof, kWh/kWp', band: [1_020, 1_320] },
  'australia-nsw': { what: 'sun: yield of a roof, kWh/kWp', band: [1_120, 1_440] },
};

/**
 * Roofs that were measured: eight of California and one of Sydney (Ausgrid), hour by hour, least to most; a year over the load and
 * what is fed in of 17 of California. Night is when the sun is six degrees below the horizon.
 */
export const SUN_BANDS = {
  best: { what: 'sun: best quarter hour, kW/kWp', band: [0.75, 0.95] },
  night: { what: 'sun: most of any roof by night, kWh', band: [0, 0] },
  ramp: { what: 'sun: step of an hour, p99, over best hour', band: [0.36, 0.52] },
  clearDays: { what: 'sun: clear days, share', band: [0.31, 0.63] },
  dayVariation: { what: 'sun: variation of days', band: [0.36, 0.44] },
  overLoad: { what: 'sun: a year of it over the home’s load', band: [0.45, 0.75] },
  fedIn: { what: 'sun: share that is fed in', band: [0.3, 0.6] },
} as const satisfies Record<string, Banded>;

/**
 * Norwegian homes (Sørensen et al., Data in Brief 57, 2024): energy, power and hours of sessions, sessions by car. Coincidence: of
 * ten 0.53 as published and 0.44 of 116 of these cars drawn again and again, each at a power of the published spread; of a hundred
 * 0.19 to 0.20 and of a thousand 0.13 to 0.15 by the same.
 */
export const CAR_BANDS = {
  energyP5: { what: 'energy of a session, p5, kWh', band: [1.2, 2.4] },
  energy: { what: 'energy of a session, median, kWh', band: [7.5, 11] },
  energyP95: { what: 'energy of a session, p95, kWh', band: [29, 44] },
  powerP5: { what: 'power, p5, kW', band: [2.8, 3.5] },
  power: { what: 'power, median, kW', band: [3.4, 4.5] },
  powerP95: { what: 'power, p95, kW', band: [8.6, 11.5] },
  hours: { what: 'charging, median, h', band: [1.6, 2.7] },
  sessionsP5: { what: 'sessions a week, p5', band: [0.5, 1.1] },
  sessions: { what: 'sessions a week, median', band: [2.2, 3.4] },
  sessionsP95: { what: 'sessions a week, p95', band: [5.5, 8.7] },
  afternoon: { what: 'plugged in from 14 to 22 h on weekdays, share', band: [0.62, 0.78] },
  plugIn: { what: 'most are plugged in at, h, weekdays', band: [15, 17] },
  season: { what: 'energy in summer against winter', band: [0.85, 1.15] },
  together10: { what: 'coincidence of ten', band: [0.38, 0.58] },
  together100: { what: 'coincidence of a hundred', band: [0.15, 0.27] },
  together1000: { what: 'coincidence of a thousand', band: [0.1, 0.19] },
} as const satisfies Record<string, Banded>;

/**
 * 310 British homes; the highest of all together and what is left of it by night: Love et al., Applied Energy 204, 2017, of some
 * 700. On warm days water alone is heated: 500 kWh a year.
 */
export const HEAT_PUMP_BANDS = {
  yearlyP5: { what: 'heat pumps: a year, p5, kWh', band: [1_300, 2_100] },
  yearly: { what: 'heat pumps: a year, median, kWh', band: [2_900, 3_900] },
  yearlyP95: { what: 'heat pumps: a year, p95, kWh', band: [5_600, 7_800] },
  running: { what: 'heat pumps: share of the time that they run', band: [0.33, 0.5] },
  kw: { what: 'heat pumps: power while running, kW', band: [0.8, 1.15] },
  together: { what: 'heat pumps: highest half hour of all, kW each', band: [1.3, 2.1] },
  byCold: { what: 'heat pumps: days below 10 °C, correlation with the air', band: [-1, -0.9] },
  warm: { what: 'heat pumps: days above 18 °C, kWh each', band: [0.7, 2.2] },
  morning: { what: 'heat pumps: cold day, most in the morning at, h', band: [6, 9] },
  evening: { what: 'heat pumps: cold day, most in the evening at, h', band: [17, 19] },
  night: { what: 'heat pumps: cold day, night over the highest', band: [0.3, 0.5] },
} as const satisfies Record<string, Banded>;
