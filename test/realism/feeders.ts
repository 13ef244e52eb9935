import { quantile } from '../support/quantiles.js';
import type { FeederInstant, FleetYear } from './fleetYear.js';
import { correlation, deviation, mean } from './statistics.js';

/** What the feeders of a fleet lose, and how their voltage goes with their load. */
export interface FeederFigures {
  /** Loss of each feeder where its load is within a tenth of its mean, share of delivered energy. */
  atMeanLoad: number[];
  /** Of each feeder: loss in the hundredth of instants with most load against that at mean load. */
  growth: number[];
  /** Smallest and largest loss of any feeder at any instant. */
  least: number;
  most: number;
  /** Of each feeder: correlation of load with loss and with the feeder's mean voltage. */
  lossWithLoad: number[];
  voltsWithLoad: number[];
  /** Variance of the number of anomalous reads of a feeder and instant over its mean: 1 when independent. */
  clustering: number;
}

const loss = ({ registered, delivered }: FeederInstant): number => (delivered - registered) / delivered;

export function feederFigures({ instants }: FleetYear): FeederFigures {
  const feeders = instants.map(oneFeeder);
  const all = instants.flat();
  const losses = all.map(loss);
  const anomalies = all.map((instant) => instant.anomalies);
  return {
    atMeanLoad: feeders.map((feeder) => feeder.atMeanLoad),
    growth: feeders.map((feeder) => feeder.atPeak / feeder.atMeanLoad),
    least: quantile(losses, 0),
    most: quantile(losses, 1),
    lossWithLoad: feeders.map((feeder) => feeder.lossWithLoad),
    voltsWithLoad: feeders.map((feeder) => feeder.voltsWithLoad),
    clustering: deviation(anomalies) ** 2 / mean(anomalies),
  };
}

function oneFeeder(instants: readonly FeederInstant[]) {
  const load = instants.map((instant) => instant.delivered);
  const average = mean(load);
  const peak = quantile(load, 0.99);
  return {
    atMeanLoad: mean(
      instants.filter((_, at) => Math.abs((load[at] as number) / average - 1) < 0.1).map(loss),
    ),
    atPeak: mean(instants.filter((_, at) => (load[at] as number) >= peak).map(loss)),
    lossWithLoad: correlation(load, instants.map(loss)),
    voltsWithLoad: correlation(
      load,
      instants.map((instant) => instant.volts),
    ),
  };
}
