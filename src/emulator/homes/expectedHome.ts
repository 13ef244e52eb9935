import type { Place } from '../../contracts/places.js';
import type { PlaceScene } from './placeScene.js';

/**
 * What the mean home of a place is expected to draw, for the state of feeders: never a sum over meters. The tables are
 * means over homes of three seeds through 2026, made by `test/realism/fitExpectedHome.ts`: by hour and kind of day
 * (weekday, Saturday, Sunday and holiday) where neither heating nor cooling is asked for, and what each kelvin adds.
 */
interface Expected {
  hours: readonly (readonly number[])[];
  cold: number;
  hot: number;
}

const EXPECTED: Readonly<Record<Place, Expected>> = {
  'us-south': {
    hours: [
      [
        0.5, 0.42, 0.39, 0.38, 0.36, 0.38, 0.5, 0.58, 0.55, 0.53, 0.54, 0.55, 0.56, 0.56, 0.56, 0.6, 0.73,
        0.87, 0.97, 1.07, 1.1, 1.02, 0.87, 0.65,
      ],
      [
        0.51, 0.4, 0.38, 0.38, 0.36, 0.38, 0.43, 0.53, 0.6, 0.61, 0.6, 0.58, 0.61, 0.6, 0.6, 0.68, 0.83, 0.95,
        1.08, 1.11, 1.1, 1.06, 0.96, 0.8,
      ],
      [
        0.57, 0.45, 0.42, 0.38, 0.37, 0.37, 0.43, 0.54, 0.6, 0.62, 0.63, 0.6, 0.69, 0.67, 0.64, 0.7, 0.86,
        1.03, 1.13, 1.12, 1.13, 1.08, 0.89, 0.67,
      ],
    ],
    cold: 0.0346,
    hot: 0.0856,
  },
  'us-northeast': {
    hours: [
      [
        0.67, 0.55, 0.53, 0.5, 0.49, 0.51, 0.65, 0.76, 0.72, 0.7, 0.71, 0.71, 0.73, 0.72, 0.73, 0.8, 0.95,
        1.15, 1.26, 1.37, 1.42, 1.33, 1.13, 0.84,
      ],
      [
        0.65, 0.57, 0.52, 0.5, 0.52, 0.5, 0.58, 0.66, 0.78, 0.81, 0.78, 0.77, 0.79, 0.78, 0.78, 0.87, 1.1,
        1.26, 1.33, 1.45, 1.42, 1.38, 1.26, 1.02,
      ],
      [
        0.77, 0.59, 0.55, 0.51, 0.5, 0.52, 0.57, 0.67, 0.79, 0.85, 0.8, 0.79, 0.85, 0.87, 0.81, 0.93, 1.14,
        1.34, 1.42, 1.5, 1.46, 1.36, 1.19, 0.87,
      ],
    ],
    cold: 0.0166,
    hot: 0.0644,
  },
  germany: {
    hours: [
      [
        0.79, 0.72, 0.64, 0.61, 0.52, 0.55, 0.75, 0.88, 0.76, 0.66, 0.65, 0.66, 0.69, 0.67, 0.67, 0.76, 0.95,
        1.23, 1.4, 1.54, 1.54, 1.45, 1.19, 0.83,
      ],
      [
        0.83, 0.7, 0.67, 0.61, 0.5, 0.53, 0.59, 0.75, 0.8, 0.82, 0.76, 0.71, 0.82, 0.85, 0.77, 0.85, 1.11,
        1.38, 1.46, 1.55, 1.5, 1.51, 1.37, 1.01,
      ],
      [
        0.84, 0.74, 0.71, 0.55, 0.55, 0.55, 0.6, 0.77, 0.86, 0.87, 0.77, 0.8, 0.92, 0.91, 0.81, 0.94, 1.17,
        1.4, 1.55, 1.62, 1.59, 1.51, 1.21, 0.92,
      ],
    ],
    cold: 0.0176,
    hot: -0.0083,
  },
  uk: {
    hours: [
      [
        0.83, 0.77, 0.71, 0.64, 0.55, 0.55, 0.81, 0.99, 0.81, 0.68, 0.65, 0.67, 0.68, 0.65, 0.68, 0.76, 0.96,
        1.2, 1.36, 1.48, 1.52, 1.43, 1.15, 0.83,
      ],
      [
        0.83, 0.8, 0.71, 0.59, 0.51, 0.5, 0.6, 0.75, 0.91, 0.91, 0.75, 0.76, 0.81, 0.8, 0.77, 0.87, 1.15,
        1.31, 1.44, 1.5, 1.52, 1.5, 1.31, 1.05,
      ],
      [
        0.95, 0.87, 0.65, 0.64, 0.54, 0.49, 0.64, 0.83, 0.98, 0.92, 0.87, 0.76, 0.88, 0.91, 0.79, 0.93, 1.13,
        1.41, 1.53, 1.58, 1.54, 1.47, 1.26, 0.86,
      ],
    ],
    cold: 0.0266,
    hot: -0.0103,
  },
  'australia-nsw': {
    hours: [
      [
        0.74, 0.72, 0.72, 0.72, 0.56, 0.5, 0.58, 0.68, 0.65, 0.67, 0.69, 0.72, 0.73, 0.73, 0.73, 0.77, 0.91,
        1.14, 1.26, 1.37, 1.33, 1.24, 1.04, 0.77,
      ],
      [
        0.73, 0.71, 0.73, 0.69, 0.56, 0.49, 0.5, 0.62, 0.68, 0.74, 0.73, 0.76, 0.81, 0.82, 0.79, 0.86, 1.1,
        1.26, 1.32, 1.42, 1.36, 1.23, 1.13, 0.99,
      ],
      [
        0.84, 0.74, 0.73, 0.74, 0.59, 0.53, 0.55, 0.64, 0.71, 0.78, 0.78, 0.77, 0.88, 0.9, 0.84, 0.88, 1.06,
        1.27, 1.39, 1.49, 1.34, 1.24, 1.09, 0.82,
      ],
    ],
    cold: 0.0456,
    hot: 0.0906,
  },
};

/** Temperatures between which neither heating nor cooling is asked for, °C: those of the tables. */
const COLD = 14;
const HOT = 20;

/** Relative to the mean over the year; by the hour, going over from one to the next. */
export function expectedHomeLevel(slot: number, scene: PlaceScene): number {
  const index = slot - scene.firstSlot;
  const { hours, cold, hot } = EXPECTED[scene.place];
  const ofKind = hours[Math.min(2, scene.kind[index] as number)] as readonly number[];
  const sinceMiddle = ((scene.clock[index] as number) + 0.5) / 4 + 23.5;
  const before = Math.floor(sinceMiddle);
  const [here, next] = [ofKind[before % 24] as number, ofKind[(before + 1) % 24] as number];
  const air = scene.air[index] as number;
  const byHour = here + (next - here) * (sinceMiddle - before);
  return Math.max(0.1, byHour + cold * Math.max(0, COLD - air) + hot * Math.max(0, air - HOT));
}
