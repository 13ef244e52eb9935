/**
 * What trade there is, with its hours. Shares by count and the energy of each follow the US survey of commercial
 * buildings (EIA, CBECS 2018: offices, shops and services are half of all; food service and cold stores use several
 * times as much for their area), with the meters that stand outside buildings (lamps, pumps) as a tenth: an estimate.
 * Hours are those that signs on doors show; sessions are in quarter hours of the local day.
 */
export const TRADE_KINDS = [
  'office',
  'shop',
  'restaurant',
  'school',
  'bakery',
  'hotel',
  'coldStore',
  'streetLight',
  'pump',
  'workshop',
] as const;
export type TradeKind = (typeof TRADE_KINDS)[number];

export type Session = readonly [from: number, to: number];

export interface TradeFacts {
  share: number;
  /** Energy against the mean of the class, before it is brought to the class's mean. */
  size: number;
  /** Sessions of a working day, and probability that there is business on Saturday, on Sunday and on a holiday. */
  sessions: readonly Session[];
  saturday: number;
  sunday: number;
  holiday: number;
  /** Load outside hours against that within, least and most. */
  base: readonly [number, number];
  /** How many quarter hours before and after its hours the load rises and falls. */
  ramp: number;
  /** Added for each kelvin of cold and of heat while there is business, share of the load. */
  heat: number;
  cool: number;
  /** Spread of single quarter hours, sdlog. */
  spread: number;
}

export const TRADE: Readonly<Record<TradeKind, TradeFacts>> = {
  office: {
    share: 0.24,
    size: 0.9,
    sessions: [[30, 73]],
    saturday: 0.12,
    sunday: 0.04,
    holiday: 0.04,
    base: [0.15, 0.5],
    ramp: 6,
    heat: 0.006,
    cool: 0.025,
    spread: 0.06,
  },
  shop: {
    share: 0.22,
    size: 1.1,
    sessions: [[36, 76]],
    saturday: 0.95,
    sunday: 0.35,
    holiday: 0.2,
    base: [0.1, 0.55],
    ramp: 3,
    heat: 0.004,
    cool: 0.03,
    spread: 0.07,
  },
  restaurant: {
    share: 0.12,
    size: 1.2,
    sessions: [
      [43, 59],
      [68, 92],
    ],
    saturday: 0.95,
    sunday: 0.75,
    holiday: 0.7,
    base: [0.2, 0.5],
    ramp: 5,
    heat: 0.003,
    cool: 0.02,
    spread: 0.14,
  },
  school: {
    share: 0.05,
    size: 2,
    sessions: [[29, 64]],
    saturday: 0.03,
    sunday: 0.01,
    holiday: 0,
    base: [0.15, 0.4],
    ramp: 5,
    heat: 0.012,
    cool: 0.02,
    spread: 0.06,
  },
  bakery: {
    share: 0.04,
    size: 1.1,
    sessions: [[10, 44]],
    saturday: 0.97,
    sunday: 0.4,
    holiday: 0.3,
    base: [0.1, 0.3],
    ramp: 3,
    heat: 0,
    cool: 0.008,
    spread: 0.16,
  },
  hotel: {
    share: 0.04,
    size: 2.2,
    sessions: [
      [24, 42],
      [66, 92],
    ],
    saturday: 1,
    sunday: 1,
    holiday: 1,
    base: [0.5, 0.75],
    ramp: 8,
    heat: 0.01,
    cool: 0.03,
    spread: 0.08,
  },
  coldStore: {
    share: 0.05,
    size: 2,
    sessions: [[0, 96]],
    saturday: 1,
    sunday: 1,
    holiday: 1,
    base: [1, 1],
    ramp: 0,
    heat: 0,
    cool: 0.02,
    spread: 0.1,
  },
  streetLight: {
    share: 0.06,
    size: 0.4,
    sessions: [],
    saturday: 1,
    sunday: 1,
    holiday: 1,
    base: [0.002, 0.02],
    ramp: 0,
    heat: 0,
    cool: 0,
    spread: 0.01,
  },
  pump: {
    share: 0.05,
    size: 0.6,
    sessions: [],
    saturday: 1,
    sunday: 1,
    holiday: 1,
    base: [0.02, 0.1],
    ramp: 0,
    heat: 0,
    cool: 0.01,
    spread: 0.04,
  },
  workshop: {
    share: 0.13,
    size: 0.8,
    sessions: [
      [28, 48],
      [51, 66],
    ],
    saturday: 0.25,
    sunday: 0.01,
    holiday: 0.01,
    base: [0.05, 0.25],
    ramp: 2,
    heat: 0.006,
    cool: 0.004,
    spread: 0.2,
  },
};
