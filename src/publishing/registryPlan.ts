import { MAX_FEEDER_COUNT, MAX_METER_COUNT } from '../contracts/limits.js';
import { batchCount } from '../ledger/batchRange.js';
import type { RegistryCounts } from '../registry/survey.js';
import { cappedBatchSize, cappedMeterCount, capper, PUBLISH_JOBS, type PublishPlan } from './plan.js';

/** What a caller asked for; without a `meterCount` it is all of the registry. */
export interface RegistryPlanRequest {
  batchSize: number;
  meterCount: number | undefined;
  feederCount: number | undefined;
}

/** Does for a registry what `planPublish` does: the plan covers its first meters, and the feeders of these. */
export function planRegistryPublish(
  request: RegistryPlanRequest,
  registry: RegistryCounts,
  limit = PUBLISH_JOBS,
): PublishPlan {
  const safetyWarnings = leftOut(registry);
  const lowered = capper(safetyWarnings);
  const batchSize = cappedBatchSize(request.batchSize, lowered);
  const available = registry.spans.at(-1)?.to ?? 0;
  const asked = request.meterCount;
  if (asked === undefined && registry.beyondMeterCap > 0) {
    safetyWarnings.push(
      `${meters(registry.beyondMeterCap)} of the registry ${are(registry.beyondMeterCap)} left out: a publish covers at most ${MAX_METER_COUNT} meters, of whole feeders by name.`,
    );
  }
  const capped = cappedMeterCount(asked ?? available, batchSize, lowered, limit);
  const wanted = capped < (asked ?? available) ? wholeFeeders(capped, registry, lowered) : capped;
  if (wanted > available) {
    safetyWarnings.push(
      `meterCount was lowered from ${wanted} to ${available}: the registry has no more meters that can be published.`,
    );
  }
  const meterCount = Math.min(wanted, available);
  const feederCount = registry.spans.filter(({ from }) => from < meterCount).length;
  if (request.feederCount !== undefined) {
    safetyWarnings.push(
      `feederCount ${request.feederCount} is ignored: a registry fleet is on the registry's own feeders, here ${feederCount}.`,
    );
  }
  return {
    fleet: { meterCount, feederCount },
    batchSize,
    batchCount: batchCount(meterCount, batchSize),
    safetyWarnings,
  };
}

/** A cap cuts at a feeder's end, since the loss of a part of a feeder is no loss; whoever asks for a number has that number. */
function wholeFeeders(capped: number, { spans }: RegistryCounts, lowered: ReturnType<typeof capper>): number {
  const cut = spans.find(({ from, to }) => from < capped && capped < to);
  if (!cut || cut.from === 0) return capped;
  return lowered('meterCount', capped, cut.from, `a cap leaves no part of a feeder, here of ${cut.feederId}`);
}

/** One sentence per kind of meter that is never published, whatever is asked for. */
function leftOut(registry: RegistryCounts): string[] {
  const { inactive, withoutFeeder, repeated, feeders, beyondFeederCap } = registry;
  const beyond = feeders - MAX_FEEDER_COUNT;
  return [
    ...(inactive > 0 ? [`${meters(inactive)} of the registry ${are(inactive)} inactive and left out.`] : []),
    ...(withoutFeeder > 0
      ? [`${meters(withoutFeeder)} of the registry ${are(withoutFeeder)} on no known feeder and left out.`]
      : []),
    ...(repeated > 0
      ? [
          `${meters(repeated)} ${are(repeated)} in the registry more than once and published once, on the first of ${repeated === 1 ? 'its' : 'their'} feeders by name.`,
        ]
      : []),
    ...(beyond > 0
      ? [
          `${beyond === 1 ? '1 feeder' : `${beyond} feeders`} of the registry's ${feeders}, with ${meters(beyondFeederCap)}, ${are(beyond)} left out: a fleet has at most ${MAX_FEEDER_COUNT} feeders, the first by name.`,
        ]
      : []),
  ];
}

function meters(count: number): string {
  return count === 1 ? '1 meter' : `${count} meters`;
}

function are(count: number): string {
  return count === 1 ? 'is' : 'are';
}
