import { median } from '../support/quantiles.js';
import { BAND, type Figure } from './bands.js';
import { feederFigures } from './feeders.js';
import type { FleetYear } from './fleetYear.js';
import { middleRange } from './statistics.js';

/** What feeders lose, and how their voltage goes with their load. */
export function lossFigures(year: FleetYear): Figure[] {
  const feeders = feederFigures(year);
  const middle = (what: string, band: Figure['band'], values: readonly number[]): Figure => ({
    what,
    band,
    measured: median(values),
    spread: middleRange(values, 'feeders'),
  });
  return [
    {
      what: 'least loss of a feeder at mean load',
      band: BAND.lossAtMean,
      measured: Math.min(...feeders.atMeanLoad),
    },
    {
      what: 'greatest loss of a feeder at mean load',
      band: BAND.lossAtMean,
      measured: Math.max(...feeders.atMeanLoad),
    },
    { what: 'least loss of any feeder and instant', band: BAND.lossAtAll, measured: feeders.least },
    { what: 'greatest loss of any feeder and instant', band: BAND.lossAtAll, measured: feeders.most },
    middle('loss at a feeder’s peak against loss at its mean load', BAND.lossGrowth, feeders.growth),
    middle('correlation of a feeder’s loss with its load', BAND.withLoad, feeders.lossWithLoad),
    middle('correlation of a feeder’s voltage with its load', BAND.againstLoad, feeders.voltsWithLoad),
    {
      what: 'anomalies of a feeder and instant, variance over mean',
      band: BAND.clustering,
      measured: feeders.clustering,
    },
  ];
}

/** Service voltages of all reads. */
export function voltageFigures({ voltage }: FleetYear): Figure[] {
  const ends = [voltage.byDistance[0], voltage.byDistance.at(-1)].map(
    (part) => (part?.volts ?? 0) / (part?.reads ?? 1),
  ) as [number, number];
  return [
    {
      what: 'reads within 118–124 V, share',
      band: BAND.normalVolts,
      measured: voltage.normal / voltage.reads,
    },
    {
      what: 'reads outside range A (114–126 V), share',
      band: BAND.anomalies,
      measured: voltage.outsideA / voltage.reads,
    },
    { what: 'lowest voltage, V', band: BAND.volts, measured: voltage.min },
    { what: 'highest voltage, V', band: BAND.volts, measured: voltage.max },
    { what: 'far end against substation, V', band: BAND.farEndVolts, measured: ends[1] - ends[0] },
  ];
}
