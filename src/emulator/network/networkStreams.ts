/** Streams of randomness of meters and their network: from 130 on, apart from all others. */
export const NETWORK_STREAM = {
  meter: 130,
  proneness: 131,
  single: 132,
  some: 133,
  long: 134,
  lateral: 135,
  momentary: 136,
  storm: 137,
  interruption: 138,
  exchange: 139,
  unitError: 140,
  stuck: 141,
  zeroed: 142,
  drift: 143,
} as const;
