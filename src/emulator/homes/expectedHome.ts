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
        0.49, 0.42, 0.39, 0.38, 0.36, 0.38, 0.5, 0.58, 0.55, 0.53, 0.54, 0.55, 0.56, 0.56, 0.56, 0.6, 0.73,
        0.87, 0.97, 1.07, 1.1, 1.02, 0.87, 0.65,
      ],
      [
        0.51, 0.4, 0.39, 0.38, 0.36, 0.38, 0.42, 0.53, 0.6, 0.61, 0.62, 0.6, 0.64, 0.63, 0.63, 0.69, 0.84,
        0.95, 1.07, 1.09, 1.09, 1.04, 0.94, 0.79,
      ],
      [
        0.56, 0.45, 0.41, 0.38, 0.36, 0.37, 0.43, 0.52, 0.59, 0.62, 0.64, 0.62, 0.73, 0.7, 0.65, 0.71, 0.85,
        1.02, 1.1, 1.09, 1.1, 1.05, 0.87, 0.66,
      ],
    ],
    cold: 0.0348,
    hot: 0.0859,
  },
  'us-northeast': {
    hours: [
      [
        0.67, 0.55, 0.53, 0.5, 0.49, 0.51, 0.65, 0.76, 0.72, 0.7, 0.71, 0.71, 0.73, 0.72, 0.73, 0.8, 0.95,
        1.15, 1.27, 1.37, 1.42, 1.33, 1.13, 0.84,
      ],
      [
        0.65, 0.57, 0.52, 0.5, 0.51, 0.5, 0.57, 0.65, 0.78, 0.81, 0.8, 0.8, 0.83, 0.82, 0.8, 0.89, 1.11, 1.26,
        1.32, 1.43, 1.4, 1.36, 1.25, 1.01,
      ],
      [
        0.76, 0.59, 0.54, 0.51, 0.5, 0.51, 0.57, 0.66, 0.78, 0.85, 0.8, 0.81, 0.88, 0.91, 0.83, 0.93, 1.14,
        1.31, 1.39, 1.47, 1.42, 1.33, 1.16, 0.86,
      ],
    ],
    cold: 0.0166,
    hot: 0.0647,
  },
  germany: {
    hours: [
      [
        0.77, 0.7, 0.63, 0.6, 0.52, 0.55, 0.75, 0.89, 0.77, 0.67, 0.65, 0.67, 0.7, 0.68, 0.67, 0.77, 0.96,
        1.24, 1.42, 1.55, 1.55, 1.47, 1.2, 0.84,
      ],
      [
        0.81, 0.69, 0.66, 0.6, 0.49, 0.53, 0.59, 0.74, 0.8, 0.84, 0.78, 0.75, 0.87, 0.9, 0.81, 0.87, 1.13,
        1.39, 1.45, 1.53, 1.49, 1.51, 1.36, 1.01,
      ],
      [
        0.83, 0.72, 0.69, 0.54, 0.54, 0.54, 0.6, 0.76, 0.85, 0.87, 0.79, 0.82, 0.97, 0.95, 0.84, 0.95, 1.17,
        1.39, 1.52, 1.59, 1.54, 1.47, 1.19, 0.91,
      ],
    ],
    cold: 0.017,
    hot: -0.0086,
  },
  uk: {
    hours: [
      [
        0.82, 0.75, 0.7, 0.63, 0.55, 0.56, 0.82, 1.0, 0.82, 0.69, 0.66, 0.67, 0.69, 0.66, 0.69, 0.77, 0.97,
        1.21, 1.37, 1.49, 1.53, 1.44, 1.16, 0.84,
      ],
      [
        0.82, 0.78, 0.7, 0.58, 0.51, 0.51, 0.6, 0.76, 0.91, 0.92, 0.77, 0.79, 0.86, 0.85, 0.8, 0.9, 1.18,
        1.31, 1.43, 1.49, 1.51, 1.49, 1.3, 1.04,
      ],
      [
        0.93, 0.84, 0.64, 0.63, 0.53, 0.49, 0.63, 0.82, 0.96, 0.93, 0.88, 0.79, 0.93, 0.96, 0.82, 0.94, 1.13,
        1.4, 1.52, 1.54, 1.5, 1.43, 1.24, 0.85,
      ],
    ],
    cold: 0.0256,
    hot: -0.0114,
  },
  'australia-nsw': {
    hours: [
      [
        0.74, 0.72, 0.72, 0.71, 0.56, 0.5, 0.59, 0.68, 0.65, 0.68, 0.69, 0.72, 0.74, 0.73, 0.73, 0.77, 0.91,
        1.14, 1.26, 1.37, 1.33, 1.24, 1.04, 0.77,
      ],
      [
        0.73, 0.7, 0.73, 0.69, 0.56, 0.49, 0.5, 0.61, 0.67, 0.74, 0.75, 0.78, 0.85, 0.85, 0.81, 0.88, 1.11,
        1.25, 1.31, 1.41, 1.34, 1.22, 1.12, 0.98,
      ],
      [
        0.83, 0.74, 0.73, 0.73, 0.58, 0.52, 0.54, 0.63, 0.7, 0.78, 0.79, 0.78, 0.91, 0.93, 0.86, 0.89, 1.05,
        1.26, 1.36, 1.45, 1.3, 1.21, 1.06, 0.8,
      ],
    ],
    cold: 0.0458,
    hot: 0.091,
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
