/** Answers of the API as JSON: docs/api.md says what the fields mean. kWh per interval, volts, percent, ISO 8601 in UTC. */
import type { EventType } from '../core/events.js';

type Values = (number | null)[];

export interface Tenants {
  tenants: { tenantId: string; latestReadAt: string | null; automatic: boolean }[];
  next: string | null;
}

export interface IntervalSummary {
  intervalStart: string;
  intervalEnd: string;
  complete: boolean;
  expectedMeters: number;
  reportingMeters: number;
  reportingPct: number | null;
  lossPct: number | null;
  lowVoltageMeters: number;
}

export interface LatestFeeder {
  feederId: string;
  reportingMeters: number;
  expectedMeters: number;
  reportingPct: number | null;
  lossPct: number | null;
  minVoltage: number | null;
  lowVoltageMeters: number;
  activeEvents: string[];
}

/** Rows of a customer's own views may lack any field. */
export interface SuspiciousMeter {
  day: string | null;
  meterId: string | null;
  feederId: string | null;
  missingKwh: number | null;
  missingPct: number | null;
  reason: string | null;
}

export interface FieldOperation {
  day: string | null;
  feederId: string | null;
  priority: number | null;
  reason: string | null;
}

export interface Quickcheck {
  tenantId: string;
  generatedAt: string;
  suspiciousMeters: SuspiciousMeter[];
  fieldOps: FieldOperation[];
  latest: IntervalSummary | null;
  latestComplete: IntervalSummary | null;
  staleMetersBuckets: Record<'current' | 'staleOver15m' | 'staleOver1h' | 'staleOver24h', number> | null;
  latestFeeders: LatestFeeder[];
  activeEvents: { id: string; feederId: string; eventType: EventType; startAt: string; endAt: string }[];
  warnings?: string[];
}

export interface PilotEvent {
  id: string;
  tenantId: string;
  feederId: string;
  eventType: EventType;
  severity: number;
  startAt: string;
  endAt: string;
  state: 'active' | 'ended' | 'scheduled';
  meterIds: string[] | null;
  meterIdCount?: number;
  meterFraction: number | null;
}

export interface Events {
  events: PilotEvent[];
  next?: string;
}

export interface EventCreated {
  event: PilotEvent;
  revision?: { publishId: string; intervalStart: string; intervalEnd: string; computedMeters: number } | null;
  safetyWarnings: string[];
}

export interface PublishProgress {
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  batches: { done: number; total: number };
  rows: { inserted: number; updated: number; duplicate: number; skippedByOutage: number };
}

export interface FeederMatrix {
  from: string;
  to: string;
  resolution: 'interval' | 'hour' | 'day';
  stepMinutes: number;
  times: string[];
  feeders: { feederId: string; lossPct?: Values; completenessPct?: Values; minVoltage?: Values }[];
}

export interface FeederSeries {
  feederId: string;
  resolution: 'interval' | 'hour' | 'day';
  stepMinutes: number;
  times: string[];
  expectedMeters: Values;
  reportingMeters: Values;
  completenessPct: Values;
  kwh: Values;
  deliveredKwh: Values;
  lossPct: Values;
  minVoltage: Values;
  lowVoltageReads: Values;
}

export const METER_ORDERS = ['meterId', 'missingKwh', 'kwh', 'voltage'] as const;
export type MeterOrder = (typeof METER_ORDERS)[number];

export interface FeederMeter {
  meterId: string;
  kwh: number | null;
  deliveredKwh: number | null;
  voltage: number | null;
  suspicious: boolean;
  lowVoltage: boolean;
  reported: boolean;
}

export interface FeederMeters {
  intervalStart: string | null;
  intervalEnd: string | null;
  meters: FeederMeter[];
  next: string | null;
}

export interface MeterSeries {
  meterId: string;
  feederId: string | null;
  stepMinutes: number;
  times: string[];
  kwh: Values;
  deliveredKwh: Values;
  voltage: Values;
  flags: (string[] | null)[];
  events: {
    id: string;
    eventType: EventType;
    severity: number;
    /** Of the feeder's meters, this one perhaps among them; null where it is meant itself. */
    meterFraction: number | null;
    startAt: string;
    endAt: string;
  }[];
}

export interface AutoConfig {
  meterCount: number | null;
  feederCount: number | null;
  batchSize: number;
  intervalMinutes: 15 | 60;
  catchUpIntervals: number;
  fleet: 'synthetic' | 'registry';
  timeZone: string;
  climate: 'us' | 'germany';
  replay?: { from: string; speed: number };
  startedAt: string;
}

export interface AutoStatus {
  enabled: boolean;
  config: AutoConfig | null;
  lastAlignedInterval: string;
  latestReadAt: string | null;
  nextRunAt: string | null;
  queue: Record<string, number>;
  waiting: { readAt: string; claimedAt: string | null; failure: string | null; nextTryAt: string | null }[];
  missed: { intervals: number; first?: string; last?: string } | null;
  replay: { from: string; speed: number; clock: string; nextInterval: string } | null;
}

export interface Backfill {
  backfillId: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  from: string;
  to: string;
  intervalMinutes: number;
  meterCount: number;
  batches: { done: number; total: number; failed: number; cancelled: number };
  intervals: { done: number; total: number };
  acceptedAt: string;
  finishedAt: string | null;
  estimatedSecondsLeft?: number;
  failure?: string;
}
