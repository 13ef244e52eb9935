import seedrandom from 'seedrandom';

/**
 * Seeded randomness with random access: a draw depends on (seed, tenant, what it is about) alone, never on
 * how many draws came before (decision 18). seedrandom turns the strings into a key, once; an integer hash
 * turns the key and three numbers into a draw, since seedrandom itself costs microseconds to initialise and
 * a draw is needed several times a read.
 */
export interface Randomness {
  /** A number in [0, 1), for a stream (one phenomenon), a subject (meter or feeder) and a slot (time). */
  uniform(stream: number, subject: number, slot: number): number;
  /** A standard normal deviate, by Box–Muller over two draws of the same coordinates. */
  normal(stream: number, subject: number, slot: number): number;
}

/** The seed a tenant has when a request names none (decision 18). */
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
  };
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

/** One number a phenomenon, so that two of them never share a draw. */
export const STREAM = {
  customerSize: 1,
  loadNoise: 2,
  feederLoss: 3,
  deliveryMeasurement: 4,
  voltage: 5,
  voltageAnomaly: 6,
  voltageAnomalyDepth: 7,
} as const;
