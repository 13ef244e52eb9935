/** How much a read is worth. The order in which they give way to each other is the importer's. */
export type QualityKind = 'raw' | 'validated' | 'estimated' | 'edited' | 'questionable';

export interface ReadQuality {
  kind: QualityKind;
  /** How an estimate or a change came about, as the file says it: `S14`, `referenceDay`. */
  method?: string;
}

/** From the least to the most that a read is worth. */
const WORTH: readonly QualityKind[] = ['questionable', 'estimated', 'edited', 'raw', 'validated'];

/** From 0, the least, on. */
export const worthOf = ({ kind }: ReadQuality): number => WORTH.indexOf(kind);

/** The one that is worth less. */
export function worse(one: ReadQuality, other: ReadQuality): ReadQuality {
  return WORTH.indexOf(other.kind) < WORTH.indexOf(one.kind) ? other : one;
}

export const VALIDATED: ReadQuality = { kind: 'validated' };
export const RAW: ReadQuality = { kind: 'raw' };

/**
 * ESPI's QualityOfReading (ESPI 4.0, `espi.xsd`). What a code means for our five kinds is decided here: a derived or
 * projected value was measured by nobody, a mixed or other one says nothing that can be relied on.
 */
const ESPI: Record<number, ReadQuality> = {
  0: VALIDATED,
  7: { kind: 'edited', method: 'manual' },
  8: { kind: 'estimated', method: 'referenceDay' },
  9: { kind: 'estimated', method: 'linear' },
  10: { kind: 'questionable' },
  11: { kind: 'estimated', method: 'derived' },
  12: { kind: 'estimated', method: 'projected' },
  13: { kind: 'questionable', method: 'mixed' },
  14: RAW,
  15: { kind: 'edited', method: 'weatherNormalized' },
  16: { kind: 'questionable', method: 'other' },
  17: VALIDATED,
  18: VALIDATED,
  19: VALIDATED,
};

/** @returns undefined of a code that ESPI does not have. */
export function espiQuality(code: number): ReadQuality | undefined {
  return ESPI[code];
}

/**
 * NEM12's quality and method flag (AEMO MDFF 2.6, appendices C and D): A actual, E forward estimate, S substituted, F
 * final substituted; E, S and F carry the method in two digits. N, which older files have, says that there is no value.
 *
 * @returns `null` for N, undefined of what is no flag.
 */
export function nem12Quality(flag: string): ReadQuality | null | undefined {
  if (flag === 'A') return VALIDATED;
  if (flag === 'N') return null;
  if (/^[ESF]\d{2}$/.test(flag)) return { kind: 'estimated', method: flag };
  return undefined;
}

/** A quality in a format's own words. */
export interface QualityFlagOut {
  flag: string;
  /** Whether our reader makes the same quality of it again. */
  isExact: boolean;
}

const NEM12_METHODS: Record<string, string> = { referenceDay: 'E14', 'like-day': 'E14', linear: 'E17' };

/**
 * A quality as NEM12 says it. It has no word for a value that nobody has validated: that is an actual value there.
 *
 * @returns undefined of what it cannot say: a questionable or edited value, an estimate by a method that it does not know.
 */
export function nem12Flag({ kind, method = '' }: ReadQuality): QualityFlagOut | undefined {
  if (kind === 'raw' || kind === 'validated') return { flag: 'A', isExact: kind === 'validated' };
  if (kind !== 'estimated') return undefined;
  if (/^[ESF]\d{2}$/.test(method)) return { flag: method, isExact: true };
  const flag = NEM12_METHODS[method];
  return flag === undefined ? undefined : { flag, isExact: false };
}

/** Where ESPI has no code for a method: any edit, an estimate that was derived, doubt without a reason. */
const ESPI_NEAREST: Record<QualityKind, number> = {
  raw: 14,
  validated: 0,
  estimated: 11,
  edited: 7,
  questionable: 10,
};
const ESPI_CODES = new Map(
  Object.entries(ESPI)
    .toReversed()
    .map(([code, { kind, method = '' }]) => [`${kind} ${method}`, code]),
);

/** A quality as ESPI's code. */
export function espiCode({ kind, method = '' }: ReadQuality): QualityFlagOut {
  // Our own name of it; files call it a reference day.
  if (kind === 'estimated' && method === 'like-day') return { flag: '8', isExact: false };
  const code = ESPI_CODES.get(`${kind} ${method}`);
  return code === undefined
    ? { flag: String(ESPI_NEAREST[kind]), isExact: false }
    : { flag: code, isExact: true };
}
