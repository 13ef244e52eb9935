import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MODELS, type Network, ODDITIES } from '../../src/contracts/emulation.js';
import { CLIMATES } from '../../src/contracts/place.js';
import { PLACE_NAMES } from '../../src/contracts/places.js';
import { applyNetwork } from '../../src/emulator/network/applyNetwork.js';
import { generateReads, type ReadColumns, type ReadsRequest } from '../../src/emulator/reads.js';
import { PLACES } from '../../src/emulator/weather/places.js';

/**
 * Reads of a model that tenants run never change: a revision of an old interval must give the old reads. Each pair of sums below is
 * over reads of a winter's evening, a summer's noon, the hour that a clock repeats, and a night, also over a poor network: of customers alone,
 * and with equipment behind the meters and more trade.
 */
const LANDED: Readonly<Record<string, readonly [customers: string, equipment: string]>> = {
  'model 1, us': ['d9595c94ea4836c8a66276b005b6b468', 'f18e7cd237a86b89e9e0ed894ff7311c'],
  'model 1, germany': ['3e91a94cb2ea10f6ae129978daf37708', 'b48753dcafe09ecce0130f83f83b6d6a'],
  'model 2, us-south': ['e282b27055ac55e18a09e3411ca366b3', '052ca0b500e8fb5bb0924d63a2f44761'],
  'model 2, us-northeast': ['ac4b05fb7a8e9470756c81a81ef48e48', 'f43ee38ef719274695c5baa7d18cea44'],
  'model 2, germany': ['769b62ac4072c21831706220fdc3ff15', '7bc6754e4d84d89af6a48f3f6684685c'],
  'model 2, uk': ['887b6e9054d59bfcd7612db64db90296', '36e1275056d92fbf1318aa060828c167'],
  'model 2, australia-nsw': ['e4c7d7b16f028bfd00cf1beb51558878', '758f2d79d625eab66321a054a6758931'],
  'model 3, us-south': ['aca3f7b44b117c52f5824f58121724d9', '197f35c98381b217e50788cc86cf8edd'],
  'model 3, us-northeast': ['fb56fac62e692caa6d17a29a8a803ab9', '2b6e3c7c5c2b72f26f48c81bf0e4f1bb'],
  'model 3, germany': ['68c4fea3a0b80dff2e76bb159cf12592', 'dff7c0e1396f49a19285009f4c848dac'],
  'model 3, uk': ['a3b075a372d3a72e03bbe803f05e8856', 'cc29b6e85de353092713507ab615451f'],
  'model 3, australia-nsw': ['63d6d9f44c88542ddf80858f37842ff1', '6c8688c42c57112fa8d72e367b76dfd1'],
};

const FLEET = { meterCount: 1_200, feederCount: 6 };
const INSTANTS = [
  ['2026-01-14T18:15:00Z', 15],
  ['2026-07-08T11:00:00Z', 60],
  ['2026-10-25T01:30:00Z', 15],
  ['2027-02-02T03:45:00Z', 15],
] as const;
const DER = { pv: 0.4, ev: 0.3, heatPump: 0.3, battery: 0.2 };
const CUSTOMERS = { commercial: 0.25, industrial: 0.03 };

type Where = Pick<ReadsRequest, 'model' | 'place' | 'climate' | 'timeZone'>;

function sumOf(where: Where, more: Pick<ReadsRequest, 'der' | 'customers'>): string {
  const hash = createHash('sha256');
  for (const [at, intervalMinutes] of INSTANTS) {
    const scene = { ...where, ...more, tenantId: 'LANDED', seed: 'golden', intervalMinutes };
    const readsAt = (readAt: Date) =>
      generateReads({ ...scene, readAt, fleet: FLEET, from: 0, to: FLEET.meterCount });
    const readAt = new Date(at);
    const before = new Date(readAt.getTime() - intervalMinutes * 60_000);
    const network: Network = { quality: 'poor', oddities: [...ODDITIES] };
    const arrived = applyNetwork(readsAt(readAt), network, { ...scene, readAt }, () => readsAt(before));
    for (const columns of [readsAt(readAt), arrived]) hash.update(text(columns));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Columns in one order, whatever order they were made in. */
function text({
  meterIds,
  feederIds,
  kwh,
  deliveredKwh,
  voltage,
  qualityFlags,
  receivedKwh,
}: ReadColumns): string {
  return JSON.stringify([meterIds, feederIds, kwh, deliveredKwh, voltage, qualityFlags, receivedKwh]);
}

const cases: [name: string, where: Where][] = MODELS.flatMap((model): [string, Where][] =>
  model === 1
    ? CLIMATES.map((climate) => [`model 1, ${climate}`, { model, climate, timeZone: 'UTC' }])
    : PLACE_NAMES.map((place) => [
        `model ${model}, ${place}`,
        { model, place, timeZone: PLACES[place].timeZone },
      ]),
);

describe('reads that have landed', () => {
  it.each(cases)('are to the last digit what they were: %s', (name, where) => {
    expect([sumOf(where, {}), sumOf(where, { der: DER, customers: CUSTOMERS })]).toEqual(LANDED[name]);
  });
});
