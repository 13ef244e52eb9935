import type { Network, Oddity } from '../../contracts/emulation.js';
import type { IntervalMinutes } from '../../contracts/limits.js';
import { createRandomness, subjectOf } from '../chance/random.js';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import { emptyColumns, type ReadColumns } from '../reads.js';
import { isLost } from './gaps.js';
import { behindShare, isExchanged, isZeroed, stuckAt, unitFactor } from './meterFaults.js';
import { NETWORK_STREAM } from './networkStreams.js';
import { isInterrupted, lateralKey, poweredShare } from './power.js';

/** Whose reads, of which interval, come in over which network. */
export interface NetworkScene {
  tenantId: string;
  seed: string;
  readAt: Date;
  intervalMinutes: IntervalMinutes;
  timeZone?: string;
}

/**
 * What a network and its meters make of generated reads: some are missing, some are wrong. Pure, and the same for a read whatever
 * batch it comes in: each follows from seed, tenant, meter, feeder and instant. Events are applied after it.
 *
 * @param before the same meters' reads one interval earlier; asked only where clocks drift.
 */
export function applyNetwork(
  columns: ReadColumns,
  network: Network,
  scene: NetworkScene,
  before: () => ReadColumns,
): ReadColumns {
  if (network.quality === undefined && network.oddities === undefined) return columns;
  const isSilent = silentMeters(network, scene);
  const alter = network.oddities ? alterations(network.oddities, scene) : undefined;
  const earlier = network.oddities?.includes('clock-drift') ? before() : undefined;
  const applied = emptyColumns();
  if (columns.receivedKwh) applied.receivedKwh = [];
  columns.meterIds.forEach((meterId, index) => {
    const feederId = columns.feederIds[index] as string;
    if (isSilent(meterId, feederId)) return;
    const at = (values: readonly number[]): number => values[index] as number;
    const change = alter?.(meterId, feederId);
    const measured = change
      ? (change.stuck ?? at(columns.kwh) * change.part + (earlier ? at(earlier.kwh) * change.behind : 0))
      : at(columns.kwh);
    applied.meterIds.push(meterId);
    applied.feederIds.push(feederId);
    applied.kwh.push(change ? rounded(measured * change.factor) : measured);
    applied.deliveredKwh.push(
      change && change.powered < 1
        ? rounded(at(columns.deliveredKwh) * change.powered)
        : at(columns.deliveredKwh),
    );
    applied.voltage.push(at(columns.voltage));
    applied.qualityFlags.push(columns.qualityFlags[index] as ReadColumns['qualityFlags'][number]);
    const received = columns.receivedKwh?.[index] ?? null;
    applied.receivedKwh?.push(received === null ? null : rounded(received * (change?.received ?? 1)));
  });
  return applied;
}

/** Tells which meters' reads the network loses at the scene's instant: part of the truth that detectors are held against. */
export function silentMeters(
  network: Network,
  scene: NetworkScene,
): (meterId: string, feederId: string) => boolean {
  const { quality, oddities = [] } = network;
  const { slots, keyOf, tenantKey } = keysOf(scene);
  const storms = oddities.includes('storm-silence');
  const exchanges = oddities.includes('meter-exchange');
  return (meterId, feederId) => {
    const key = keyOf(meterId);
    const lateral = storms ? lateralKey(tenantKey, feederId, key) : 0;
    // An hour with a lost quarter is lost.
    return slots.some(
      (slot) =>
        (quality !== undefined && isLost(key, slot, quality)) ||
        (storms && isInterrupted(tenantKey, lateral, slot)) ||
        (exchanges && isExchanged(key, slot)),
    );
  };
}

/** Which oddities a meter shows at the scene's instant: the truth of those that change or lose a read, for whoever labels them. */
export function odditiesAt(
  network: Network,
  scene: NetworkScene,
): (meterId: string, feederId: string) => readonly Oddity[] {
  const shown = (network.oddities ?? []).map((oddity) => {
    const alone: Network = { oddities: [oddity] };
    return { oddity, isSilent: silentMeters(alone, scene), alter: alterations([oddity], scene) };
  });
  return (meterId, feederId) =>
    shown
      .filter(({ isSilent, alter }) => isSilent(meterId, feederId) || alter(meterId, feederId) !== undefined)
      .map(({ oddity }) => oddity);
}

interface Alteration {
  /** Of the energy that was measured in the interval, and in the one before it. */
  part: number;
  behind: number;
  /** Of what was delivered. */
  powered: number;
  /** What a multiplier or zeros make of the energy drawn, and of the energy fed in. */
  factor: number;
  received: number;
  /** kWh in place of what was measured. */
  stuck: number | undefined;
}

/** What is wrong with each meter's read; undefined for nearly all. */
function alterations(
  oddities: readonly Oddity[],
  scene: NetworkScene,
): (meterId: string, feederId: string) => Alteration | undefined {
  const has = new Set(oddities);
  const { slots, keyOf, tenantKey } = keysOf(scene);
  const [slot] = slots as [number, ...number[]];
  const mean = (of: (slot: number) => number) => slots.reduce((sum, one) => sum + of(one), 0) / slots.length;
  return (meterId, feederId) => {
    const key = keyOf(meterId);
    const powered = has.has('momentary-outages')
      ? mean((one) => poweredShare(lateralKey(tenantKey, feederId, key), one))
      : 1;
    const behind = has.has('clock-drift') ? behindShare(key, slot) / slots.length : 0;
    const unit = has.has('unit-error') ? unitFactor(key, slot) : 1;
    const zeroed = has.has('zero-since-clock-change') && isZeroed(key, slot, scene.timeZone ?? 'UTC');
    const stuck = has.has('stuck') ? stuckAt(key, slot) : undefined;
    if (powered === 1 && behind === 0 && unit === 1 && !zeroed && stuck === undefined) return undefined;
    return {
      part: powered * (1 - behind),
      behind,
      powered,
      factor: zeroed ? 0 : unit,
      received: (zeroed ? 0 : unit) * powered,
      stuck: stuck === undefined ? undefined : stuck * slots.length,
    };
  };
}

function keysOf({ tenantId, seed, readAt, intervalMinutes }: NetworkScene) {
  const random = createRandomness(seed, tenantId);
  const first = readAt.getTime() / QUARTER_HOUR_MS;
  return {
    slots: Array.from({ length: intervalMinutes / 15 }, (_, index) => first + index),
    tenantKey: random.key(NETWORK_STREAM.storm, 0),
    keyOf: (meterId: string) => random.key(NETWORK_STREAM.meter, subjectOf(meterId)),
  };
}

function rounded(kwh: number): number {
  return Math.round(kwh * 10_000) / 10_000;
}
