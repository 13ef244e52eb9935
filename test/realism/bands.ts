import { short } from './statistics.js';

/** A measured figure and the band it must lie in: docs/realism.md says where each band is from. */
export interface Figure {
  what: string;
  band: readonly [least: number, most: number];
  measured: number;
  /** Spread of the figure over homes, days or feeders, where `measured` is the middle of it. */
  spread?: string;
}

/** Bands as realism.md of the design gives them, and tolerances where it gives one number. */
export const BAND = {
  residentialShare: [0.855, 0.885],
  commercialShare: [0.112, 0.138],
  industrialShare: [0.003, 0.007],
  homeKwhPerDay: [28.1, 30.5],
  homeSdlog: [0.45, 0.7],
  // Ends of a day shape: the published number to 0.06; where they lie: the published hour, a home's peak to half
  // an hour, flat troughs and trade's flat top to an hour.
  homeWinterMin: [0.52, 0.64],
  homeWinterMax: [1.55, 1.67],
  homeSummerMin: [0.57, 0.69],
  homeSummerMax: [1.37, 1.49],
  commercialMin: [0.32, 0.44],
  commercialMax: [1.78, 1.9],
  at02: [1, 3.75],
  at03: [2, 4.75],
  at10: [9, 11.75],
  at18: [17.5, 19.5],
  at19: [18.5, 20.5],
  homeSaturday: [1.11, 1.16],
  homeSunday: [1.15, 1.2],
  commercialSaturday: [0.59, 0.66],
  commercialSunday: [0.45, 0.53],
  variation: [0.8, 2.1],
  lagOne: [0.5, 0.85],
  lagDay: [0.06, 0.51],
  loadFactor: [0.03, 0.15],
  p99: [3.8, 11.6],
  peakKw: [0, 25],
  step: [0.05, 0.12],
  lossAtMean: [0.03, 0.06],
  lossAtAll: [0.015, 0.13],
  lossGrowth: [1.15, 2.5],
  withLoad: [0.5, 1],
  againstLoad: [-1, -0.2],
  normalVolts: [0.99, 1],
  anomalies: [0.0002, 0.008],
  volts: [110, 128],
  // From the substation to the far end.
  farEndVolts: [-2, -0.4],
  clustering: [4, 100],
  // Of homes: US summer against winter, German winter against summer; US winter against spring and autumn.
  peakSeason: [1.08, 1.6],
  secondPeak: [1.08, 1.6],
} as const satisfies Record<string, readonly [number, number]>;

/** Whether the figure lies in its band. */
export function holds({ measured, band }: Figure): boolean {
  return measured >= band[0] && measured <= band[1];
}

/** One line of the printed table. */
export function line(figure: Figure): string {
  const { what, band, measured, spread } = figure;
  const verdict = holds(figure) ? 'ok ' : 'OUT';
  return `${verdict}  ${what.padEnd(58)} ${short(measured).padStart(8)}   ${`${short(band[0])} – ${short(band[1])}`.padEnd(16)} ${spread ?? ''}`;
}
