import type { Network, Oddity } from '../../contracts/emulation.js';
import type { IntervalMinutes } from '../../contracts/limits.js';
import { createRandomness, subjectOf } from '../chance/random.js';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import { type ReadColumns, readsAtPlaces } from '../reads.js';
import { isLost } from './gaps.js';
import { behindShare, isExchanged, isZeroed, stuckAt, unitFactor } from './meterFaults.js';
import { NETWORK_STREAM } from './networkStreams.js';
import { isInterrupted, isStormy, lateralKey, lateralsKey, poweredShare } from './power.js';

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
  const keys = keysOf(scene);
  const isSilent = silence(network, keys);
  const alter = network.oddities ? alterations(network.oddities, scene, keys) : undefined;
  const { meterIds, feederIds } = columns;
  const arrived: number[] = [];
  const changes: [at: number, change: Alteration][] = [];
  for (let index = 0; index < meterIds.length; index += 1) {
    const feederId = feederIds[index] as string;
    const key = keys.keyOf(meterIds[index] as string);
    if (isSilent(key, feederId)) continue;
    const change = alter?.(key, feederId);
    if (change) changes.push([arrived.length, change]);
    arrived.push(index);
  }
  const applied =
    arrived.length < meterIds.length || changes.length > 0 ? readsAtPlaces(columns, arrived) : columns;
  const earlier = changes.some(([, { behind }]) => behind > 0) ? readsAtPlaces(before(), arrived) : undefined;
  for (const [at, change] of changes) alterRead(applied, at, change, earlier?.kwh[at] ?? 0);
  return applied;
}

function alterRead(columns: ReadColumns, at: number, change: Alteration, earlierKwh: number): void {
  const { kwh, deliveredKwh, receivedKwh } = columns;
  const measured = change.stuck ?? (kwh[at] as number) * change.part + earlierKwh * change.behind;
  kwh[at] = rounded(measured * change.factor);
  if (change.powered < 1) deliveredKwh[at] = rounded((deliveredKwh[at] as number) * change.powered);
  const received = receivedKwh?.[at] ?? null;
  if (receivedKwh && received !== null) receivedKwh[at] = rounded(received * change.received);
}

/** Tells which meters' reads the network loses at the scene's instant: part of the truth that detectors are held against. */
export function silentMeters(
  network: Network,
  scene: NetworkScene,
): (meterId: string, feederId: string) => boolean {
  const keys = keysOf(scene);
  const isSilent = silence(network, keys);
  return (meterId, feederId) => isSilent(keys.keyOf(meterId), feederId);
}

/** The same by a meter's key. An hour with a lost quarter is lost. */
function silence(
  { quality, oddities = [] }: Network,
  { slots, tenantKey, lateralOf }: Keys,
): (key: number, feederId: string) => boolean {
  const storms = oddities.includes('storm-silence') && slots.some((slot) => isStormy(tenantKey, slot));
  const exchanges = oddities.includes('meter-exchange');
  return (key, feederId) => {
    for (const slot of slots) {
      if (quality !== undefined && isLost(key, slot, quality)) return true;
      if (exchanges && isExchanged(key, slot)) return true;
      if (storms && isInterrupted(tenantKey, lateralOf(feederId, key), slot)) return true;
    }
    return false;
  };
}

/** Which oddities a meter shows at the scene's instant: the truth of those that change or lose a read, for whoever labels them. */
export function odditiesAt(
  network: Network,
  scene: NetworkScene,
): (meterId: string, feederId: string) => readonly Oddity[] {
  const keys = keysOf(scene);
  const shown = (network.oddities ?? []).map((oddity) => {
    const isSilent = silence({ oddities: [oddity] }, keys);
    return { oddity, isSilent, alter: alterations([oddity], scene, keys) };
  });
  return (meterId, feederId) => {
    const key = keys.keyOf(meterId);
    return shown
      .filter(({ isSilent, alter }) => isSilent(key, feederId) || alter(key, feederId) !== undefined)
      .map(({ oddity }) => oddity);
  };
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
  { slots, lateralOf }: Keys,
): (key: number, feederId: string) => Alteration | undefined {
  const has = new Set(oddities);
  const [outages, clocks] = [has.has('momentary-outages'), has.has('clock-drift')];
  const [units, zeros, stands] = [
    has.has('unit-error'),
    has.has('zero-since-clock-change'),
    has.has('stuck'),
  ];
  const [slot] = slots as [number, ...number[]];
  const poweredOf = (lateral: number): number =>
    slots.reduce((sum, one) => sum + poweredShare(lateral, one), 0) / slots.length;
  return (key, feederId) => {
    const powered = outages ? poweredOf(lateralOf(feederId, key)) : 1;
    const behind = clocks ? behindShare(key, slot) / slots.length : 0;
    const unit = units ? unitFactor(key, slot) : 1;
    const zeroed = zeros && isZeroed(key, slot, scene.timeZone ?? 'UTC');
    const stuck = stands ? stuckAt(key, slot) : undefined;
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

interface Keys {
  /** The quarter hours of the interval. */
  slots: readonly number[];
  tenantKey: number;
  keyOf(meterId: string): number;
  /** The key of the lateral of a feeder that the meter with this key is on. */
  lateralOf(feederId: string, meterKey: number): number;
}

function keysOf({ tenantId, seed, readAt, intervalMinutes }: NetworkScene): Keys {
  const random = createRandomness(seed, tenantId);
  const first = readAt.getTime() / QUARTER_HOUR_MS;
  const tenantKey = random.key(NETWORK_STREAM.storm, 0);
  // Meters come feeder after feeder.
  let feeder: string | undefined;
  let ofFeeder = 0;
  return {
    slots: Array.from({ length: intervalMinutes / 15 }, (_, index) => first + index),
    tenantKey,
    keyOf: (meterId) => random.key(NETWORK_STREAM.meter, subjectOf(meterId)),
    lateralOf(feederId, meterKey) {
      if (feederId !== feeder) {
        feeder = feederId;
        ofFeeder = lateralsKey(tenantKey, feederId);
      }
      return lateralKey(ofFeeder, meterKey);
    },
  };
}

function rounded(kwh: number): number {
  return Math.round(kwh * 10_000) / 10_000;
}
