import type { Model } from '../../contracts/emulation.js';
import { lognormalQuantiles, type Quantiles } from '../chance/quantiles.js';
import { hourly, through } from './dayCourse.js';

/**
 * What the models of customers differ in behind their meters. The first and the second have the same, which stays as it is, since
 * their reads have landed. The third holds what was measured where these fell short (docs/realism.md).
 */
export interface DerParameters {
  /** Apart from all others. */
  name: string;
  sky: SkyParameters;
  heatPump: HeatPumpParameters;
  /** Whether batteries plan their day as their home would have it, or as homes of their kind would: `batteryPlans.ts`. */
  batteries: 'home by home' | 'by kind';
}

export interface SkyParameters {
  /** Under a closed sky this share of what a clear one sends down is missing: at least, and on the darkest days. */
  darkness: readonly [least: number, most: number];
  /** What clouds take grows with this power of the sky's share under them. */
  power: number;
  /** How clouds come and go within a day. */
  clouds: GentleClouds | BrokenClouds;
}

/** The same clouds over all of a tenant's roofs, that wander within half an hour. */
export interface GentleClouds {
  kind: 'gentle';
}

/**
 * Clouds with edges, in logits of the share of the sky that they cover: a normal deviate of the hour over all of a tenant's roofs, and one
 * of the quarter hour over the roofs of a feeder. In a quarter hour clouds travel some five kilometres, so that roofs of one feeder have the
 * same of it, and those of two feeders only what the hour has in common (Hoff and Perez, Solar Energy 86, 2012).
 */
export interface BrokenClouds {
  kind: 'broken';
  /** Factor of the day's own logit: above 1 there are more days that are overcast throughout, and more that are clear. */
  ofDay: number;
  ofHour: number;
  ofQuarter: number;
}

export interface HeatPumpParameters {
  /** Below this temperature houses are heated, °C. */
  heatsBelow: number;
  /** Heat that the median home loses, kW per degree, and its spread over homes with mean 1. */
  kwPerDegree: number;
  spread: Quantiles;
  /** Power of the median home's pump while it cycles, kW, and the most that a pump can draw over that. */
  runningKw: number;
  most: number;
  /** What is asked of heating by the quarter hour of the local day, mean 1: a home has one of these, as likely as any other. */
  programs: readonly Float64Array[];
  /** Quarter hours by which homes are earlier or later than their program, at the most. */
  shift: number;
}

const LANDED: DerParameters = {
  name: 'landed',
  sky: { darkness: [0.75, 0.75], power: 3.4, clouds: { kind: 'gentle' } },
  heatPump: {
    heatsBelow: 15.5,
    // 1,670 to 6,720 kWh a year with 3,340 at the median (310 homes in Britain), of which the heating's part over some 48,000 degree
    // hours below 15.5 °C makes 0.24 kW a degree at the median.
    kwPerDegree: 0.24,
    spread: lognormalQuantiles(0.42),
    runningKw: 0.97,
    most: Number.POSITIVE_INFINITY,
    // Maxima at 8 to 9 and 18 to 19 h.
    programs: [
      hourly([
        0.82, 0.8, 0.79, 0.8, 0.86, 0.98, 1.12, 1.25, 1.32, 1.16, 1.04, 0.98, 0.95, 0.93, 0.93, 0.97, 1.06,
        1.18, 1.26, 1.16, 1.06, 0.98, 0.9, 0.84,
      ]),
    ],
    shift: 0,
  },
  batteries: 'home by home',
};

const THIRD: DerParameters = {
  name: 'third',
  sky: {
    // An overcast of stratus lets a quarter through, one of nimbostratus an eighth and less (Kasten and Czeplak, by kind of cloud).
    darkness: [0.8, 0.92],
    power: 2.6,
    clouds: { kind: 'broken', ofDay: 1.55, ofHour: 2.1, ofQuarter: 1 },
  },
  heatPump: {
    // Radiators are warm on evenings of 16 °C as well; some of the sun's and the people's heat is lost through windows that stand open.
    heatsBelow: 16,
    kwPerDegree: 0.27,
    spread: lognormalQuantiles(0.49),
    // The mean of a cycle's last quarter hour, which is not whole, lies below what the pump draws.
    runningKw: 1.2,
    most: 2,
    programs: [
      // Set back by night and warmed up before people rise, as most British homes are.
      through([
        [0, 0.5],
        [4, 0.5],
        [6.5, 1.4],
        [8.5, 1.4],
        [11, 1.05],
        [15, 1.05],
        [17.5, 1.35],
        [19, 1.35],
        [22, 0.8],
        [24, 0.5],
      ]),
      // Left on, a little lower by night.
      through([
        [0, 0.75],
        [4.5, 0.75],
        [7, 1.2],
        [9, 1.15],
        [14, 1],
        [18, 1.2],
        [20, 1.1],
        [24, 0.75],
      ]),
    ],
    shift: 3,
  },
  batteries: 'by kind',
};

/** @param model of the customers. */
export function derParameters(model: Model): DerParameters {
  return model === 3 ? THIRD : LANDED;
}
