import { consumedKwh } from './customers/consumption.js';
import type { Expectation } from './customers/expectation.js';
import type { BehindMeters, Neighbours } from './der/behindMeter.js';
import type { MeteredCustomer } from './der/equipment.js';
import { type Meter, type MeterRun, placeCustomerAt } from './fleet/meters.js';
import type { FeederQuarter } from './grid/feeder.js';
import { type ExpectedScene, placeCustomerKwh } from './placeModels.js';

/** What flows through the meters of a run, meter after meter. */
export interface Flows {
  /** Energy of each quarter hour, kWh; less than 0 where it flows out. */
  net: Float64Array;
  /** Of each meter: the mean energy of a quarter hour that its customer draws, kWh. */
  meanKwh: Float64Array;
  /** 1 of each meter that has a channel for what is fed into the grid. */
  feedsIn: Uint8Array;
}

/** Who the customers are and what is expected of them: of those of a place all that they have in common. */
export interface Expected {
  expectation: Expectation;
  inPlace: ExpectedScene | null;
}

/** @param quarters of the run's feeder, all of those of the expectation. */
export function flowsOf(
  run: MeterRun,
  quarters: readonly FeederQuarter[],
  expected: Expected,
  behind: BehindMeters | undefined,
): Flows {
  const { count } = run;
  const flows: Flows = {
    net: new Float64Array(count * quarters.length),
    meanKwh: new Float64Array(count),
    feedsIn: new Uint8Array(count),
  };
  fillConsumed(flows, run, quarters, expected);
  if (behind !== undefined) {
    const meters = neighboursOf(run, expected);
    behind.pass(flows.net, meters);
    behind.eachFeedingIn(meters, (place) => {
      flows.feedsIn[place] = 1;
    });
  }
  return flows;
}

/** A run's meters as what stands behind them wants to know them. */
export function neighboursOf({ on, first, count }: MeterRun, { inPlace }: Expected): Neighbours {
  return {
    ...{ on, first, count, feederKey: on.feeder.key },
    customerAt: (ordinal) => customerAt(on.meter(ordinal), inPlace),
  };
}

export function customerAt(meter: Meter, inPlace: ExpectedScene | null): MeteredCustomer {
  return inPlace === null ? meter.customer : placeCustomerAt(meter, inPlace.model, inPlace.place);
}

function fillConsumed(
  { net, meanKwh }: Flows,
  { on, first, count }: MeterRun,
  quarters: readonly FeederQuarter[],
  { expectation, inPlace }: Expected,
): void {
  let at = 0;
  for (let place = 0; place < count; place += 1) {
    const meter = on.meter(first + place);
    if (inPlace === null) {
      const { customer } = meter;
      meanKwh[place] = customer.meanKwh;
      for (const { slot, disturbance } of quarters) {
        net[at] = consumedKwh(customer, slot, expectation) * disturbance;
        at += 1;
      }
    } else {
      const customer = placeCustomerAt(meter, inPlace.model, inPlace.place);
      meanKwh[place] = customer.meanKwh;
      for (const { slot, disturbance } of quarters) {
        net[at] = placeCustomerKwh(customer, slot, inPlace) * disturbance;
        at += 1;
      }
    }
  }
}
