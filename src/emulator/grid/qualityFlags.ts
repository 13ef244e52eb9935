/** Machine-readable quality flags of a read, defined once; a read without any carries an empty list. */
export const QUALITY_FLAG = {
  /** Service voltage below ANSI C84.1 range A (114 V on a 120 V base). */
  lowVoltage: 'LOW_VOLTAGE',
  /** Service voltage above ANSI C84.1 range A (126 V on a 120 V base). */
  highVoltage: 'HIGH_VOLTAGE',
} as const;
export type QualityFlag = (typeof QUALITY_FLAG)[keyof typeof QUALITY_FLAG];

/** ANSI C84.1 service range A on a 120 V base, volts. */
export const SERVICE_RANGE_A = { min: 114, max: 126 } as const;

/** The flags that a voltage alone calls for. */
export function voltageFlags(volts: number): readonly QualityFlag[] {
  if (volts < SERVICE_RANGE_A.min) return LOW;
  if (volts > SERVICE_RANGE_A.max) return HIGH;
  return NONE;
}

/** One list shared by all reads without a flag, which are nearly all: no list is made per read. */
const NONE: readonly QualityFlag[] = [];
const LOW: readonly QualityFlag[] = [QUALITY_FLAG.lowVoltage];
const HIGH: readonly QualityFlag[] = [QUALITY_FLAG.highVoltage];
