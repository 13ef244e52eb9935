import seedrandom from 'seedrandom';

/**
 * Seeded randomness with random access: a draw depends on seed, tenant and coordinates alone, never on
 * how many draws came before (D18). seedrandom turns the strings into a key, once; an integer hash
 * turns the key and three numbers into a draw, since seedrandom itself costs microseconds to initialise and
 * a read needs several draws.
 */
export interface Randomness {
  /** A number in [0, 1), for a stream (one phenomenon), a subject (meter or feeder) and a slot (time). */
  uniform(stream: number, subject: number, slot: number): number;
  /** A standard normal deviate, by Box–Muller over two draws of the same coordinates. */
  normal(stream: number, subject: number, slot: number): number;
  /** The 32-bit key of a subject of one stream, to be kept and given to `drawAt`: half the cost of a draw. */
  key(stream: number, subject: number): number;
}

/** The seed a tenant has when a request names none (D18). */
export function defaultSeed(tenantId: string): string {
  return `gridlens:${tenantId}`;
}

/** Randomness of one tenant under one seed. */
export function createRandomness(seed: string, tenantId: string): Randomness {
  const key = seedrandom(JSON.stringify([seed, tenantId]));
  const low = key.int32();
  const high = key.int32();

  const draw = (stream: number, subject: number, slot: number): number => {
    let h = low ^ Math.imul(stream + 1, 0x9e3779b1);
    h = scramble(h ^ subject);
    h = scramble((h + high) ^ slot);
    return scramble(h ^ high) >>> 0;
  };

  return {
    uniform: (stream, subject, slot) => draw(stream, subject, slot) / 2 ** 32,
    normal(stream, subject, slot) {
      const radius = Math.sqrt(-2 * Math.log((draw(stream, subject, slot) + 1) / 2 ** 32));
      return radius * Math.cos((2 * Math.PI * draw(stream + SECOND_DRAW, subject, slot)) / 2 ** 32);
    },
    key: (stream, subject) => draw(stream, subject, 0) | 0,
  };
}

/**
 * A draw of 32 uniform bits for a subject's key, a stream and a step (a slot, or any other whole number). One
 * scramble of a Weyl sequence, as in SplitMix: a read needs some twenty draws.
 */
export function drawAt(key: number, stream: number, step: number): number {
  return scramble((key + Math.imul(step, 0x9e3779b1) + Math.imul(stream + 1, 0x7feb352d)) | 0) >>> 0;
}

/** An id (a meter's, or any) as a subject of randomness, 32 bits: FNV-1a over its UTF-16 code units. */
export function subjectOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1)
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  return hash | 0;
}

/** Offset of the stream a normal deviate takes its second draw from: above every stream in use. */
const SECOND_DRAW = 1 << 16;

/** The finaliser of MurmurHash3 (Appleby, public domain): every input bit changes half the output bits. */
function scramble(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** One number per phenomenon, so that no two share a draw. */
export const STREAM = {
  meter: 1,
  feeder: 2,
  weather: 3,
  lateral: 5,
  customerClass: 6,
  customerSize: 7,
  vacancy: 8,
  shift: 9,
  peakiness: 10,
  schedule: 11,
  hoursNoise: 12,
  dayNoise: 13,
  weekNoise: 14,
  quarterNoise: 15,
  away: 16,
  applianceStart: 17,
  applianceRun: 18,
  feederMix: 19,
  feederLoss: 20,
  feederHours: 21,
  feederDays: 22,
  deliveryMeasurement: 23,
  headVoltage: 24,
  headVoltageDrift: 25,
  lineImpedance: 26,
  distance: 27,
  meterVoltage: 28,
  voltageRipple: 29,
  voltageAnomaly: 30,
  voltageAnomalyDepth: 31,
  transformer: 32,
  // From 40 on: events (applyEvents.ts, eventSelection.ts), apart from the phenomena of normal running.
  eventSelection: 40,
  commsOutage: 41,
  sagDepth: 42,
  deliveryCut: 43,
  deliveryPlace: 44,
  deliveryCopy: 45,
  deliveryBurst: 46,
  theftShare: 47,
  theftShareOfMean: 48,
  theftWindow: 49,
  // From 60 on: weather by place and the customers of a place.
  weatherFronts: 60,
  weatherSpells: 61,
  weatherClouds: 62,
  placeCustomer: 63,
  homeDay: 64,
  homeMood: 65,
  homeRota: 66,
  trip: 67,
  longTrip: 68,
  homeMonths: 69,
  homeHours: 70,
  homeQuarter: 71,
  shortRun: 72,
  meal: 73,
  wash: 74,
  dishes: 75,
  hotWater: 76,
  thermostat: 77,
  evening: 78,
  tradeDay: 79,
  tradeHours: 80,
  tradeWeeks: 81,
  tradeQuarter: 82,
  tradeMachine: 83,
  storageHeaters: 84,
  timedLoad: 85,
} as const;
