import { createRandomness, STREAM } from '../../../src/emulator/chance/random.js';
import { temperatureAt } from '../../../src/emulator/weather/weather.js';
import { quantile } from '../../support/quantiles.js';
import type { Figure } from '../bands.js';
import { correlation, mean } from '../statistics.js';
import { HEAT_PUMP_BANDS } from './equipmentBands.js';
import { type Flows, highest, sumOf } from './flows.js';

const DAY = 96;
/** Days as cold as this ask for heating, °C; on days as warm as this only water is heated. */
const COLD = 10;
const WARM = 18;

export function heatPumpFigures({ place, firstSlot, into, clock }: Flows, weatherKey: number): Figure[] {
  const all = sumOf(into);
  const days = sumOf([all], DAY);
  const air = days.map((_, day) =>
    mean(
      Array.from({ length: DAY }, (__, at) => temperatureAt(place, weatherKey, firstSlot + day * DAY + at)),
    ),
  );
  const isDay = (belongs: (celsius: number) => boolean) => (_: number, day: number) =>
    belongs(air[day] as number);
  const [cold, warm] = [isDay((celsius) => celsius < COLD), isDay((celsius) => celsius > WARM)];
  const winter = winterDay(all, clock, air);
  const yearly = into.map((pump) => pump.reduce((sum, kwh) => sum + kwh, 0));
  const runs = into.map((pump) => pump.filter((kwh) => kwh > 0.005));
  const figure = (what: keyof typeof HEAT_PUMP_BANDS, measured: number): Figure => ({
    ...HEAT_PUMP_BANDS[what],
    measured,
  });
  const british: Figure[] = [
    figure('yearlyP5', quantile(yearly, 0.05)),
    figure('yearly', quantile(yearly, 0.5)),
    figure('yearlyP95', quantile(yearly, 0.95)),
    figure(
      'running',
      quantile(
        runs.map((run, home) => run.length / (into[home] as Float64Array).length),
        0.5,
      ),
    ),
    figure(
      'kw',
      quantile(
        runs.map((run) => 4 * mean(run)),
        0.5,
      ),
    ),
    figure('together', (2 * highest(sumOf(into, 2))) / into.length),
  ];
  const course: Figure[] = [
    figure('morning', peakHour(winter, 5, 12)),
    figure('evening', peakHour(winter, 14, 22)),
    figure('night', mean(winter.slice(0, 4)) / Math.max(...winter)),
  ];
  return [
    // The pumps that were measured stand in Britain; those of Germany keep the same hours.
    ...(place === 'uk' ? british : []),
    ...(place === 'us-south' ? [] : course),
    figure('byCold', correlation(days.filter(cold), air.filter(cold))),
    figure('warm', mean(days.filter(warm)) / into.length),
  ];
}

/** The mean cold day of all together by the hour of the clock. */
function winterDay(all: Float64Array, clock: Int32Array, air: Float64Array): number[] {
  const hours = new Array<number>(24).fill(0);
  all.forEach((kwh, slot) => {
    if ((air[Math.floor(slot / DAY)] as number) >= COLD) return;
    const hour = (clock[slot] as number) >> 2;
    hours[hour] = (hours[hour] as number) + kwh;
  });
  return hours;
}

function peakHour(hours: readonly number[], from: number, to: number): number {
  const part = hours.slice(from, to);
  return from + part.indexOf(Math.max(...part));
}

/** The key of the weather of the tenant that flows are of. */
export function weatherKeyOf(seed: string): number {
  return createRandomness(seed, 'HOMES').key(STREAM.weather, 0);
}
