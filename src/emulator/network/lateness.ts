import type { Lateness } from '../../contracts/emulation.js';
import { createRandomness, drawAt, subjectOf } from '../chance/random.js';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import type { NetworkScene } from './applyNetwork.js';
import { NETWORK_STREAM } from './networkStreams.js';

/** When a read comes in, in intervals after its own; 0 with the others of its interval. */
export interface Arrival {
  lateBy: number;
  /** When it comes once more; null where it does not. Always after it has come first. */
  againBy: number | null;
}

const share = (draw: number): number => draw / 2 ** 32;

/** When the reads of an interval come in: each follows from seed, tenant, meter and instant, whatever batch it is in. */
export function arrivals(
  { share: late, maxIntervals, duplicates }: Lateness,
  { tenantId, seed, readAt }: Pick<NetworkScene, 'tenantId' | 'seed' | 'readAt'>,
): (meterId: string) => Arrival {
  const random = createRandomness(seed, tenantId);
  const slot = readAt.getTime() / QUARTER_HOUR_MS;
  const intervals = (key: number, stream: number): number =>
    1 + Math.floor(share(drawAt(key, stream, slot)) * maxIntervals);
  return (meterId) => {
    const key = random.key(NETWORK_STREAM.meter, subjectOf(meterId));
    const lateBy =
      share(drawAt(key, NETWORK_STREAM.isLate, slot)) < late ? intervals(key, NETWORK_STREAM.lateBy) : 0;
    const isTwice = share(drawAt(key, NETWORK_STREAM.isTwice, slot)) < duplicates;
    return { lateBy, againBy: isTwice ? lateBy + intervals(key, NETWORK_STREAM.againBy) : null };
  };
}

/** The instant at which a read comes in that is late by so many intervals: the end of that one, as others come at the end of theirs. */
export function arrivesAt(
  { readAt, intervalMinutes }: Pick<NetworkScene, 'readAt' | 'intervalMinutes'>,
  lateBy: number,
): Date {
  return new Date(readAt.getTime() + (1 + lateBy) * intervalMinutes * 60_000);
}
