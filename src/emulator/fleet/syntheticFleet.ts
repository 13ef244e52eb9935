/**
 * The synthetic fleet's layout: which meters there are, which feeder each is on, and the order in which a
 * publish walks them. Meter i (1-based) is on feeder ((i-1) mod feederCount) + 1, so that growing the fleet
 * never moves a meter (D4). A publish takes the meters in the order of the roster, feeder after feeder, and cuts
 * the roster into batches (D3). A *position* is a place on the roster, counted from 0.
 */

export interface SyntheticFleet {
  meterCount: number;
  feederCount: number;
}

/** The positions `[from, to)` of a fleet's roster at which one feeder's meters stand; never empty. */
export interface FeederSpan {
  feederId: string;
  from: number;
  to: number;
}

/** Consecutive meters of one feeder: ordinals count along the feeder, from 0. */
export interface FeederRun {
  /** 1-based feeder number; the feeder's id is `FEEDER_<feeder>`. */
  feeder: number;
  firstOrdinal: number;
  count: number;
}

/** `FEEDER_7` for 7. */
export function feederId(feeder: number): string {
  return `FEEDER_${feeder}`;
}

/** The feeder number of `FEEDER_7`, or undefined for an id that no feeder of this fleet has. */
export function feederNumber(id: string, fleet: SyntheticFleet): number | undefined {
  const number = Number(/^FEEDER_([1-9]\d*)$/.exec(id)?.[1]);
  return number <= fleet.feederCount ? number : undefined;
}

/** `<tenantId>-MTR-00042` for 42, with five digits, as the scale request has it. */
export function meterId(tenantId: string, meter: number): string {
  return `${meterIdPrefix(tenantId)}${String(meter).padStart(5, '0')}`;
}

/** What all meter ids of a tenant's synthetic fleet begin with. */
export function meterIdPrefix(tenantId: string): string {
  return `${tenantId}-MTR-`;
}

/** 42 for `<tenantId>-MTR-00042`; undefined for an id that `meterId` does not give. */
export function meterNumberOf(tenantId: string, id: string): number | undefined {
  const prefix = meterIdPrefix(tenantId);
  if (!id.startsWith(prefix)) return undefined;
  const number = Number(id.slice(prefix.length));
  return number >= 1 && meterId(tenantId, number) === id ? number : undefined;
}

/** 1-based meter number of the meter that stands at `ordinal` (from 0) on `feeder` (from 1). */
export function meterNumber(feeder: number, ordinal: number, feederCount: number): number {
  return ordinal * feederCount + feeder;
}

/** How many meters `feeder` (1-based) has: sizes differ by at most one. */
export function feederSize(feeder: number, fleet: SyntheticFleet): number {
  const { meterCount, feederCount } = fleet;
  return Math.floor(meterCount / feederCount) + (feeder <= meterCount % feederCount ? 1 : 0);
}

/** The positions `[from, to)` of the roster at which `feeder` (1-based) stands; empty when it has no meters. */
export function feederRange(feeder: number, fleet: SyntheticFleet): { from: number; to: number } {
  const before = feeder - 1;
  const small = Math.floor(fleet.meterCount / fleet.feederCount);
  const from = before * small + Math.min(before, fleet.meterCount % fleet.feederCount);
  return { from, to: from + feederSize(feeder, fleet) };
}

/** The feeders that have meters, in the order of the roster. */
export function feederSpans(fleet: SyntheticFleet): FeederSpan[] {
  return Array.from({ length: Math.min(fleet.feederCount, fleet.meterCount) }, (_, index) => ({
    feederId: feederId(index + 1),
    ...feederRange(index + 1, fleet),
  }));
}

/** The ids of all meters on the feeder `id`, in the order of the roster; none when the fleet has no such feeder. */
export function metersOfFeeder(tenantId: string, id: string, fleet: SyntheticFleet): string[] {
  const feeder = feederNumber(id, fleet);
  if (feeder === undefined) return [];
  return Array.from({ length: feederSize(feeder, fleet) }, (_, ordinal) =>
    meterId(tenantId, meterNumber(feeder, ordinal, fleet.feederCount)),
  );
}

/**
 * The feeder runs that the positions `[from, to)` cover, in order. Empty feeders (fewer meters than feeders)
 * give no run.
 */
export function feederRuns(fleet: SyntheticFleet, from: number, to: number): FeederRun[] {
  const runs: FeederRun[] = [];
  let position = Math.max(0, from);
  const end = Math.min(to, fleet.meterCount);
  while (position < end) {
    const { feeder, ordinal } = locate(fleet, position);
    const count = Math.min(end - position, feederSize(feeder, fleet) - ordinal);
    runs.push({ feeder, firstOrdinal: ordinal, count });
    position += count;
  }
  return runs;
}

function locate(fleet: SyntheticFleet, position: number): { feeder: number; ordinal: number } {
  const small = Math.floor(fleet.meterCount / fleet.feederCount);
  const largeFeeders = fleet.meterCount % fleet.feederCount;
  const inLarge = largeFeeders * (small + 1);
  if (position < inLarge) {
    return { feeder: Math.floor(position / (small + 1)) + 1, ordinal: position % (small + 1) };
  }
  const rest = position - inLarge;
  return { feeder: largeFeeders + Math.floor(rest / small) + 1, ordinal: rest % small };
}
