import { quantile } from '../../support/quantiles.js';
import type { Figure } from '../bands.js';
import { mean } from '../statistics.js';
import { CAR_BANDS } from './equipmentBands.js';
import { coincidenceOf, type Flows } from './flows.js';

/** A stretch of quarter hours in which a car charges. */
export interface Session {
  /** Quarter hours from the first of the flows. */
  start: number;
  quarters: number;
  kwh: number;
  /** Its highest quarter hour, kW. */
  kw: number;
}

/** What a car does, as far as a meter shows it: when it is unplugged, none does. */
export function sessionsOf(car: Float64Array): Session[] {
  const sessions: Session[] = [];
  let open: Session | undefined;
  car.forEach((kwh, slot) => {
    if (kwh <= 0) {
      open = undefined;
      return;
    }
    if (open === undefined) {
      open = { start: slot, quarters: 0, kwh: 0, kw: 0 };
      sessions.push(open);
    }
    open.quarters += 1;
    open.kwh += kwh;
    open.kw = Math.max(open.kw, kwh * 4);
  });
  return sessions;
}

/** Quarter hours of a day in which most cars are plugged in. */
const AFTERNOON = { from: 14 * 4, to: 22 * 4 } as const;

export function carFigures({ into, clock, weekend, slots }: Flows): Figure[] {
  const ofCars = into.map(sessionsOf);
  const sessions = ofCars.flat();
  const weeks = slots / 96 / 7;
  const weekdays = sessions.filter(({ start }) => weekend[start] === 0);
  const starts = weekdays.map(({ start }) => clock[start] as number);
  const afternoon = starts.filter((quarter) => quarter >= AFTERNOON.from && quarter < AFTERNOON.to);
  const perWeek = ofCars.map((list) => list.length / weeks);
  const over = (values: readonly number[], share: number) => quantile(values, share);
  const energy = sessions.map(({ kwh }) => kwh);
  const power = sessions.filter(({ quarters }) => quarters > 2).map(({ kw }) => kw);
  const figures = (what: keyof typeof CAR_BANDS, measured: number): Figure => ({
    what: `cars: ${CAR_BANDS[what].what}`,
    band: CAR_BANDS[what].band,
    measured,
  });
  return [
    figures('energyP5', over(energy, 0.05)),
    figures('energy', over(energy, 0.5)),
    figures('energyP95', over(energy, 0.95)),
    figures('powerP5', over(power, 0.05)),
    figures('power', over(power, 0.5)),
    figures('powerP95', over(power, 0.95)),
    figures(
      'hours',
      over(
        sessions.map(({ quarters }) => quarters / 4),
        0.5,
      ),
    ),
    figures('sessionsP5', over(perWeek, 0.05)),
    figures('sessions', over(perWeek, 0.5)),
    figures('sessionsP95', over(perWeek, 0.95)),
    figures('afternoon', afternoon.length / starts.length),
    figures('plugIn', busiestHour(starts)),
    figures('season', seasonOf(into)),
    ...([10, 100, 1_000] as const)
      .filter((count) => into.length >= count)
      .map((count) => figures(`together${count}`, coincidenceOf(into, count))),
  ];
}

/** The hour at which most begin. */
function busiestHour(quarters: readonly number[]): number {
  const hours = new Array<number>(24).fill(0);
  for (const quarter of quarters) hours[quarter >> 2] = (hours[quarter >> 2] as number) + 1;
  return hours.indexOf(Math.max(...hours));
}

/** Energy of the half year from April against that of the other. */
function seasonOf(into: readonly Float64Array[]): number {
  const [from, to] = [90 * 96, 273 * 96];
  const summer = mean(into.map((car) => mean(car.slice(from, to))));
  const winter = mean(
    into.map(
      (car) =>
        (mean(car.slice(0, from)) * from + mean(car.slice(to)) * (car.length - to)) /
        (from + car.length - to),
    ),
  );
  return summer / winter;
}
