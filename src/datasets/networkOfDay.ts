import type { Network, Oddity } from '../contracts/emulation.js';
import { MS_PER_MINUTE } from '../contracts/intervals.js';
import type { FeederSpan } from '../emulator/fleet/syntheticFleet.js';
import { applyNetwork, odditiesAt, silentMeters } from '../emulator/network/applyNetwork.js';
import { columnsAt, type DayReads, type DayScene, type GenerateDay, putRead } from './dayReads.js';

/** A read that the network has lost without any oddity. */
export const GAP = 'network-gap';

/** What a network and its meters did to one read: the truth. Energy is in 0.1 Wh. */
export interface NetworkLabel {
  oddities: readonly (Oddity | typeof GAP)[];
  /** What a sound meter would have registered. */
  trueKwh: number;
}

/** A feeder's day as it came in over its network. */
export interface ArrivedDay {
  /** Whether a read is missing, by its place. */
  isMissing: Uint8Array;
  /** By place. */
  labels: Map<number, NetworkLabel>;
}

/** Applies a network to a feeder's day, in place, as a worker does interval by interval. */
export function applyNetworkToDay(
  day: DayReads,
  span: FeederSpan,
  starts: readonly number[],
  network: Network,
  scene: DayScene,
  generate: GenerateDay,
): ArrivedDay {
  const { feederId } = span;
  const sound = { ...day, kwh: day.kwh.slice() };
  const isMissing = new Uint8Array(day.kwh.length);
  const labels: ArrivedDay['labels'] = new Map();
  const { tenantId, seed, intervalMinutes, timeZone } = scene;
  starts.forEach((start, interval) => {
    const at = { tenantId, seed, intervalMinutes, readAt: new Date(start), ...(timeZone && { timeZone }) };
    const columns = columnsAt(sound, feederId, interval);
    const before = () =>
      interval > 0
        ? columnsAt(sound, feederId, interval - 1)
        : columnsAt(generate(scene, span, [start - intervalMinutes * MS_PER_MINUTE]), feederId, 0);
    const arrived = applyNetwork(columns, network, at, before);
    const shown = odditiesAt(network, at);
    const isGap = silentMeters(network.quality ? { quality: network.quality } : {}, at);
    let next = 0;
    day.meterIds.forEach((meterId, meter) => {
      const place = meter * day.intervals + interval;
      const isThere = arrived.meterIds[next] === meterId;
      const oddities: NetworkLabel['oddities'] = [
        ...shown(meterId, feederId),
        ...(!isThere && isGap(meterId, feederId) ? [GAP as typeof GAP] : []),
      ];
      if (oddities.length > 0) labels.set(place, { oddities, trueKwh: sound.kwh[place] as number });
      if (!isThere) {
        isMissing[place] = 1;
        return;
      }
      if (arrived !== columns) putRead(day, place, arrived, next);
      next += 1;
    });
  });
  return { isMissing, labels };
}
