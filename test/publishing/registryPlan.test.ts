import { describe, expect, it } from 'vitest';
import { planRegistryPublish } from '../../src/publishing/registryPlan.js';
import type { RegistryCounts } from '../../src/registry/survey.js';

const registry: RegistryCounts = {
  inactive: 0,
  withoutFeeder: 0,
  repeated: 0,
  feeders: 2,
  beyondFeederCap: 0,
  beyondMeterCap: 0,
  spans: [
    { feederId: 'A', from: 0, to: 700 },
    { feederId: 'B', from: 700, to: 1_200 },
  ],
};
const request = { batchSize: 500, meterCount: undefined, feederCount: undefined };
const warnings = (over: Partial<RegistryCounts>, asked: object = {}) =>
  planRegistryPublish({ ...request, ...asked }, { ...registry, ...over }).safetyWarnings;

describe('the plan of a registry publish', () => {
  it('covers all of a registry, on as few feeders as it has, and warns of nothing', () => {
    expect(planRegistryPublish(request, registry)).toEqual({
      fleet: { meterCount: 1_200, feederCount: 2 },
      batchSize: 500,
      batchCount: 3,
      safetyWarnings: [],
    });
  });

  it('covers the first meters when asked for some, on the feeders that they are on', () => {
    const { fleet } = planRegistryPublish({ ...request, meterCount: 700 }, registry);
    expect(fleet).toEqual({ meterCount: 700, feederCount: 1 });
    expect(planRegistryPublish({ ...request, meterCount: 701 }, registry).fleet.feederCount).toBe(2);
  });

  it('counts what is left out, one or many', () => {
    expect(warnings({ inactive: 1, withoutFeeder: 1, repeated: 1, feeders: 41, beyondFeederCap: 1 })).toEqual(
      [
        '1 meter of the registry is inactive and left out.',
        '1 meter of the registry is on no known feeder and left out.',
        '1 meter is in the registry more than once and published once, on the first of its feeders by name.',
        "1 feeder of the registry's 41, with 1 meter, is left out: a fleet has at most 40 feeders, the first by name.",
      ],
    );
    expect(
      warnings({ inactive: 2, withoutFeeder: 3, repeated: 4, feeders: 45, beyondFeederCap: 60 }),
    ).toEqual([
      '2 meters of the registry are inactive and left out.',
      '3 meters of the registry are on no known feeder and left out.',
      '4 meters are in the registry more than once and published once, on the first of their feeders by name.',
      "5 feeders of the registry's 45, with 60 meters, are left out: a fleet has at most 40 feeders, the first by name.",
    ]);
    expect(warnings({ beyondMeterCap: 1 })).toEqual([
      '1 meter of the registry is left out: a publish covers at most 25000 meters, of whole feeders by name.',
    ]);
    expect(warnings({ beyondMeterCap: 9 }, { meterCount: 10 })).toEqual([]);
  });

  it('holds to the caps of a publish', () => {
    const plan = planRegistryPublish({ batchSize: 3, meterCount: 26_000, feederCount: 10 }, registry);
    // Feeder A alone has more than the cap: a part of it is all there is.
    expect(plan.fleet.meterCount).toBe(600);
    expect(plan.batchCount).toBe(200);
    expect(plan.safetyWarnings).toEqual([
      'meterCount was lowered from 26000 to 25000: a publish covers at most 25000 meters.',
      'meterCount was lowered from 25000 to 600: a publish enqueues at most 200 jobs, of 3 meters each.',
      "feederCount 10 is ignored: a registry fleet is on the registry's own feeders, here 1.",
    ]);
  });

  it("C4: cuts at a feeder's end where a cap cuts, and where it was asked to where it was asked", () => {
    const by = (batchSize: number, meterCount?: number) =>
      planRegistryPublish({ batchSize, meterCount, feederCount: undefined }, registry);
    const capped = by(5);
    expect(capped.fleet).toEqual({ meterCount: 700, feederCount: 1 });
    expect(capped.safetyWarnings).toEqual([
      'meterCount was lowered from 1200 to 1000: a publish enqueues at most 200 jobs, of 5 meters each.',
      'meterCount was lowered from 1000 to 700: a cap leaves no part of a feeder, here of B.',
    ]);
    expect(by(5, 1_100).fleet.meterCount).toBe(700);
    expect(by(5, 900).fleet).toEqual({ meterCount: 900, feederCount: 2 });
    expect(by(6).fleet.meterCount).toBe(1_200);
    // At a feeder's end already.
    expect(planRegistryPublish(request, registry, { by: 'a tick', jobs: 2 }).fleet.meterCount).toBe(700);
  });
});
