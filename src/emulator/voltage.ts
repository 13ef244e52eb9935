import { type Randomness, STREAM } from './random.js';

/** Service voltage in normal running, volts on a 120 V base (brief: 118–124). */
const NORMAL_MIN = 118;
const NORMAL_MAX = 124;
/** Share of reads outside range A without any event: rare, well under 1 % (realism.md). */
const ANOMALY_PROBABILITY = 0.001;
/** How far an anomaly lies outside range A, volts: up to the edge of range B below, 1 V beyond it above. */
const ANOMALY_LOW = { edge: 114, depth: -4 } as const;
const ANOMALY_HIGH = { edge: 126, depth: 2 } as const;

/** Service voltage of a meter in one quarter hour, volts. */
export function serviceVoltage(random: Randomness, meter: number, slot: number): number {
  const chance = random.uniform(STREAM.voltageAnomaly, meter, slot);
  if (chance < ANOMALY_PROBABILITY) {
    const kind = chance < ANOMALY_PROBABILITY / 2 ? ANOMALY_LOW : ANOMALY_HIGH;
    // (1 - u) is in (0, 1]: an anomaly never lands on the edge itself, which would still be range A.
    return kind.edge + kind.depth * (1 - random.uniform(STREAM.voltageAnomalyDepth, meter, slot));
  }
  const first = random.uniform(STREAM.voltage, meter, slot);
  const second = random.uniform(STREAM.voltage, meter, -slot - 1);
  return NORMAL_MIN + (NORMAL_MAX - NORMAL_MIN) * ((first + second) / 2);
}
