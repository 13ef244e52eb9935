import type { RuleSettings, VeeRule } from '../../contracts/veeRules.js';
import { MINUTE } from './durations.js';
import type { Past } from './past.js';

export { DAY, HOUR, MINUTE } from './durations.js';

/** A read of the span that is validated. Instants are ms since 1970, energy is kWh per interval. */
export interface SpanRead {
  at: number;
  /** Length of the interval. */
  minutes: number;
  kwh: number;
  /** Whether a voltage came with it, above 0 V. */
  hasVoltage: boolean;
  /** Whether it has energy into the grid. */
  isFedIn: boolean;
  /** Null of an emulated read, and of one in a customer's table. */
  quality: string | null;
}

/** What a meter's reads are judged by. */
export interface MeterSpan {
  meterId: string;
  /** In the order of time. */
  reads: readonly SpanRead[];
  /** The like times of the two weeks before. */
  past: Past;
  /** Right before the span, in the order of time; only where a run of zeros may reach back. */
  before: readonly SpanRead[];
}

/** The part of a run that is validated at once: a UTC day at most. */
export interface Part {
  from: number;
  /** Exclusive. */
  to: number;
  /** Starts of intervals of which the tenant has any read, or that were published for it. */
  tenantHas: ReadonlySet<number>;
  rules: RuleSettings;
}

/** What a rule has found. */
export interface Found {
  rule: VeeRule;
  from: number;
  /** Exclusive. */
  to: number;
  /** In the unit of the rule, as is `limit`. */
  value: number;
  limit: number;
  /** Starts of the reads that are in question by it. */
  reads: readonly number[];
}

export const endOf = ({ at, minutes }: { at: number; minutes: number }): number => at + minutes * MINUTE;

/** A value that no meter can have measured, of any length of interval, is no energy to compare with. */
export const isMeasurable = (kwh: number): boolean => Math.abs(kwh) < 10_000;
