/** The rules by which reads are validated, by the names that the field has for them (docs/vee.md). */

export const VEE_RULES = [
  'missing',
  'zero-run',
  'spike',
  'negative',
  'register-sum',
  'voltage-missing',
  'clock-shift',
  'duplicate',
  'thousandfold',
] as const;
export type VeeRule = (typeof VEE_RULES)[number];

/** `flag` records a finding; `fail` also marks the read as questionable. */
export const VEE_SEVERITIES = ['off', 'flag', 'fail'] as const;
export type VeeSeverity = (typeof VEE_SEVERITIES)[number];

export interface RuleDefinition {
  /** What the field calls it. */
  name: string;
  /** What has to be exceeded, in words. */
  finds: string;
  /** Of `limit` and of a finding's `value`. */
  unit: 'h' | '%' | 'kWh' | 'min' | 'intervals' | 'times';
  limit: number;
  /** What a tenant may set the limit to, both inclusive. */
  least: number;
  most: number;
  severity: VeeSeverity;
}

/** Sources and reasons of the limits stand in docs/vee.md. */
export const RULE_DEFINITIONS: Readonly<Record<VeeRule, RuleDefinition>> = {
  missing: {
    name: 'missing interval (gap check)',
    finds: 'expected intervals without a read, for longer than this',
    unit: 'h',
    limit: 0,
    least: 0,
    most: 168,
    severity: 'flag',
  },
  'zero-run': {
    name: 'consecutive zeros (zero usage check)',
    finds: 'no energy at all for this long or longer',
    unit: 'h',
    limit: 24,
    least: 1,
    most: 168,
    severity: 'flag',
  },
  spike: {
    name: 'spike check (high usage)',
    finds: 'a read this much above the third highest of the meter’s like intervals',
    unit: '%',
    limit: 180,
    least: 10,
    most: 10_000,
    severity: 'flag',
  },
  negative: {
    name: 'negative consumption',
    finds: 'a read further below zero than this',
    unit: 'kWh',
    limit: 0,
    least: 0,
    most: 1_000,
    severity: 'fail',
  },
  'register-sum': {
    name: 'sum check (interval data against register)',
    finds: 'reads whose sum differs from the register by more than this',
    unit: 'kWh',
    limit: 2,
    least: 0,
    most: 100_000,
    severity: 'flag',
  },
  'voltage-missing': {
    name: 'voltage missing (loss of voltage data)',
    finds: 'no voltage for longer than this from a meter that reports it',
    unit: 'h',
    limit: 0,
    least: 0,
    most: 168,
    severity: 'flag',
  },
  'clock-shift': {
    name: 'time check (clock drift or shift)',
    finds: 'reads further off their boundary, or a day further off the meter’s usual one, than this',
    unit: 'min',
    limit: 3,
    least: 0,
    most: 120,
    severity: 'flag',
  },
  duplicate: {
    name: 'duplicate intervals',
    finds: 'reads that overlap, or this many in a row as they were a day before',
    unit: 'intervals',
    limit: 8,
    least: 2,
    most: 96,
    severity: 'flag',
  },
  thousandfold: {
    name: 'wrong multiplier after a meter exchange (Wh for kWh)',
    finds: 'a read this many times the meter’s usual one, or as small a part of it; up to four times as much',
    unit: 'times',
    limit: 500,
    least: 50,
    most: 5_000,
    severity: 'fail',
  },
};

/** What a tenant has of a rule. */
export interface RuleSetting {
  severity: VeeSeverity;
  limit: number;
}
export type RuleSettings = Readonly<Record<VeeRule, RuleSetting>>;

/** Every rule as it is where a tenant has said nothing else. */
export const DEFAULT_RULES: RuleSettings = Object.fromEntries(
  VEE_RULES.map((rule) => [
    rule,
    { severity: RULE_DEFINITIONS[rule].severity, limit: RULE_DEFINITIONS[rule].limit },
  ]),
) as Record<VeeRule, RuleSetting>;
