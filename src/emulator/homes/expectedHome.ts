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
        0.55, 0.48, 0.45, 0.44, 0.43, 0.45, 0.56, 0.63, 0.59, 0.58, 0.58, 0.59, 0.61, 0.61, 0.6, 0.65, 0.77,
        0.91, 1.01, 1.1, 1.13, 1.06, 0.92, 0.71,
      ],
      [
        0.58, 0.48, 0.45, 0.45, 0.43, 0.44, 0.48, 0.58, 0.65, 0.69, 0.71, 0.73, 0.79, 0.77, 0.75, 0.79, 0.91,
        1.02, 1.1, 1.11, 1.09, 1.06, 0.97, 0.83,
      ],
      [
        0.61, 0.5, 0.48, 0.44, 0.42, 0.43, 0.48, 0.56, 0.63, 0.67, 0.72, 0.73, 0.85, 0.82, 0.75, 0.8, 0.91,
        1.03, 1.08, 1.06, 1.06, 1.03, 0.88, 0.68,
      ],
    ],
    cold: 0.0295,
    hot: 0.0732,
  },
  'us-northeast': {
    hours: [
      [
        0.72, 0.61, 0.59, 0.56, 0.56, 0.57, 0.7, 0.79, 0.75, 0.73, 0.74, 0.74, 0.75, 0.75, 0.76, 0.82, 0.97,
        1.16, 1.26, 1.36, 1.41, 1.34, 1.15, 0.89,
      ],
      [
        0.7, 0.64, 0.58, 0.56, 0.56, 0.56, 0.62, 0.69, 0.82, 0.88, 0.89, 0.91, 0.98, 0.95, 0.91, 0.97, 1.16,
        1.26, 1.33, 1.39, 1.36, 1.32, 1.23, 1.03,
      ],
      [
        0.8, 0.63, 0.6, 0.58, 0.54, 0.55, 0.6, 0.7, 0.79, 0.87, 0.87, 0.9, 1.01, 1.02, 0.92, 0.98, 1.16, 1.28,
        1.33, 1.36, 1.33, 1.25, 1.12, 0.86,
      ],
    ],
    cold: 0.0134,
    hot: 0.0506,
  },
  germany: {
    hours: [
      [
        0.82, 0.76, 0.7, 0.66, 0.59, 0.61, 0.79, 0.89, 0.77, 0.68, 0.66, 0.69, 0.7, 0.69, 0.68, 0.77, 0.95,
        1.2, 1.36, 1.48, 1.49, 1.41, 1.19, 0.85,
      ],
      [
        0.85, 0.76, 0.73, 0.67, 0.56, 0.6, 0.62, 0.76, 0.81, 0.86, 0.83, 0.86, 1.02, 1.03, 0.89, 0.95, 1.16,
        1.34, 1.38, 1.42, 1.42, 1.4, 1.28, 0.98,
      ],
      [
        0.89, 0.77, 0.73, 0.6, 0.6, 0.59, 0.62, 0.75, 0.84, 0.89, 0.83, 0.87, 1.09, 1.08, 0.89, 0.95, 1.15,
        1.33, 1.41, 1.42, 1.4, 1.33, 1.1, 0.88,
      ],
    ],
    cold: 0.0158,
    hot: -0.0098,
  },
  uk: {
    hours: [
      [
        0.85, 0.81, 0.75, 0.69, 0.61, 0.62, 0.85, 0.98, 0.82, 0.69, 0.68, 0.68, 0.69, 0.67, 0.7, 0.78, 0.96,
        1.18, 1.32, 1.43, 1.46, 1.4, 1.14, 0.86,
      ],
      [
        0.87, 0.85, 0.75, 0.65, 0.57, 0.54, 0.65, 0.77, 0.92, 0.94, 0.85, 0.88, 0.98, 0.97, 0.91, 0.96, 1.17,
        1.27, 1.36, 1.39, 1.39, 1.39, 1.24, 1.07,
      ],
      [
        0.96, 0.88, 0.69, 0.69, 0.58, 0.54, 0.65, 0.81, 0.94, 0.91, 0.89, 0.86, 1.03, 1.05, 0.88, 0.96, 1.12,
        1.33, 1.38, 1.39, 1.35, 1.3, 1.14, 0.84,
      ],
    ],
    cold: 0.0237,
    hot: -0.0125,
  },
  'australia-nsw': {
    hours: [
      [
        0.79, 0.76, 0.76, 0.76, 0.62, 0.56, 0.64, 0.71, 0.69, 0.71, 0.72, 0.75, 0.77, 0.77, 0.77, 0.79, 0.93,
        1.14, 1.25, 1.36, 1.32, 1.24, 1.06, 0.82,
      ],
      [
        0.77, 0.76, 0.78, 0.73, 0.61, 0.55, 0.56, 0.66, 0.72, 0.8, 0.83, 0.87, 0.99, 0.98, 0.92, 0.96, 1.15,
        1.26, 1.27, 1.33, 1.3, 1.21, 1.11, 0.99,
      ],
      [
        0.86, 0.76, 0.76, 0.77, 0.61, 0.55, 0.57, 0.66, 0.72, 0.81, 0.85, 0.86, 1.02, 1.03, 0.94, 0.94, 1.07,
        1.23, 1.3, 1.35, 1.23, 1.15, 1.04, 0.81,
      ],
    ],
    cold: 0.0391,
    hot: 0.073,
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
