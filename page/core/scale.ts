/**
 * How far a figure is out of what is usual, and the colour of that. Blue for usual and orange for beyond: they differ for
 * every kind of colour blindness, and in lightness too.
 */
import type { Measure } from './address.js';

/** Technical loss explains at most this much, %: the limit of the suspicious meters. */
const TECHNICAL_LOSS = 15;
/** ANSI C84.1 range A, V; a sag of severity 1 goes down to 90. */
const LOW_VOLTAGE = 114;
const NOMINAL_VOLTAGE = 122;
const DEEPEST_SAG = 90;
/** Fewer than these % of meters reporting is no straggler. */
const MOST_REPORT = 98;

/**
 * 0 for the best that there is, up to 0.5 for the edge of what is usual, above that what somebody should look at, up to 1.
 */
export function concern(measure: Measure, value: number): number {
  switch (measure) {
    case 'lossPct':
      return twoPieces(value, 0, TECHNICAL_LOSS, 100);
    case 'completenessPct':
      return twoPieces(-value, -100, -MOST_REPORT, 0);
    case 'minVoltage':
      return twoPieces(-value, -NOMINAL_VOLTAGE, -LOW_VOLTAGE, -DEEPEST_SAG);
  }
}

export const isConcerning = (measure: Measure, value: number | null): boolean =>
  value !== null && concern(measure, value) > 0.5;

/** Linear from `best` (0) to `edge` (0.5) and on to `worst` (1), with a step at the edge so that it can be seen. */
function twoPieces(value: number, best: number, edge: number, worst: number): number {
  const clamped = Math.min(Math.max(value, best), worst);
  return clamped <= edge
    ? (0.5 * (clamped - best)) / (edge - best)
    : 0.55 + (0.45 * (clamped - edge)) / (worst - edge);
}

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];
/** Stops by concern, for a light and a dark page. */
const STOPS: Record<'light' | 'dark', readonly (readonly [number, Colour])[]> = {
  light: [
    [0, [236, 243, 250]],
    [0.5, [116, 163, 209]],
    [0.55, [250, 190, 105]],
    [0.8, [230, 110, 20]],
    [1, [127, 39, 4]],
  ],
  dark: [
    [0, [24, 38, 54]],
    [0.5, [58, 110, 165]],
    [0.55, [200, 120, 30]],
    [0.8, [255, 160, 60]],
    [1, [255, 225, 160]],
  ],
};

/** The colour of a concern, `rgb(…)`. */
export function concernColour(of: number, theme: 'light' | 'dark'): string {
  return `rgb(${mixed(of, theme).join(', ')})`;
}

/** Between the stops around a concern. */
function mixed(of: number, theme: 'light' | 'dark'): Colour {
  const stops = STOPS[theme];
  const above = Math.max(
    1,
    stops.findIndex(([at]) => at >= of),
  );
  const [[low, from], [high, to]] = [stops[above - 1], stops[above]] as [
    readonly [number, Colour],
    readonly [number, Colour],
  ];
  const share = Math.min(Math.max((of - low) / (high - low), 0), 1);
  const part = (index: 0 | 1 | 2): number => Math.round(from[index] + share * (to[index] - from[index]));
  return [part(0), part(1), part(2)];
}

/** A hundredth of concern more is nothing that an eye sees: a map of thirty thousand cells needs no more colours. */
const FINEST = 100;

/** The place of a concern among `shadeColours`. */
export const shadeOf = (of: number): number => Math.round(of * FINEST);

/** All colours of a map, by `shadeOf`. */
export function shadeColours(theme: 'light' | 'dark'): Colour[] {
  return Array.from({ length: FINEST + 1 }, (_, shade) => mixed(shade / FINEST, theme));
}

/** The ends and the edge of a measure, for the legend of a heat map. */
export const LEGEND: Record<Measure, { best: string; edge: string; worst: string }> = {
  lossPct: { best: '0 %', edge: `${TECHNICAL_LOSS} %`, worst: '100 %' },
  completenessPct: { best: '100 %', edge: `${MOST_REPORT} %`, worst: '0 %' },
  minVoltage: { best: `${NOMINAL_VOLTAGE} V`, edge: `${LOW_VOLTAGE} V`, worst: `${DEEPEST_SAG} V` },
};
