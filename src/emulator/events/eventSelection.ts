import { createRandomness, STREAM, subjectOf } from '../chance/random.js';
import type { FeederEvent } from './feederEvent.js';

/** Whose meters an event selects from. */
export interface SelectionScene {
  tenantId: string;
  seed: string;
  /** All meters of a feeder, in any order; asked only for an event with a `meterFraction` or without a selection. */
  metersOfFeeder: (feederId: string) => readonly string[];
}

/**
 * The meters that an event concerns, which is the ground truth of a theft: the named meters that are on its feeder, or
 * a share of the feeder's meters, or all of them.
 *
 * A share is exactly max(1, round(share × meters)) meters. Seed, tenant and event type alone decide which, so a
 * repeated demo hits the same meters, and a larger share includes the meters of a smaller one.
 */
export function selectedMeters(
  event: Pick<FeederEvent, 'feederId' | 'eventType' | 'meterIds' | 'meterFraction'>,
  scene: SelectionScene,
): readonly string[] {
  const all = scene.metersOfFeeder(event.feederId);
  const { meterIds, meterFraction } = event;
  if (meterIds !== null) {
    const named = new Set(meterIds);
    return all.filter((meterId) => named.has(meterId));
  }
  if (meterFraction === null) return all;
  const random = createRandomness(scene.seed, scene.tenantId);
  const type = subjectOf(event.eventType);
  return all
    .map((meterId) => ({ meterId, rank: random.uniform(STREAM.eventSelection, subjectOf(meterId), type) }))
    .sort((a, b) => a.rank - b.rank || (a.meterId < b.meterId ? -1 : 1))
    .slice(0, Math.max(1, Math.round(meterFraction * all.length)))
    .map(({ meterId }) => meterId);
}
