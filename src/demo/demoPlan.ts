import { MAX_BATCH_SIZE, MAX_FEEDER_COUNT, MIN_FEEDER_COUNT } from '../contracts/limits.js';

/** No tenant of an example has this name, so that nothing of anybody's else is taken away with it. */
export const DEMO_TENANT = 'GRIDLENS_DEMO';
const QUARTER_HOUR_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HISTORY_DAYS = 2;
const METERS_PER_FEEDER = 100;

export interface DemoEvent {
  type: 'theft' | 'comms-outage' | 'voltage-sag';
  feederId: string;
  startAt: string;
  durationMinutes: number;
  severity: number;
}

export interface DemoPlan {
  fleet: { meterCount: number; feederCount: number; batchSize: number; intervalMinutes: 15 };
  /** Start of the history, and its end before the interval that automatic mode writes. */
  from: string;
  to: string;
  events: DemoEvent[];
}

/**
 * A fleet, the days before now, and what happens in them: a theft in the evening peak, an outage in the early morning and a
 * sag in the afternoon, all of the UTC day before, and a theft that began with the running interval.
 */
export function demoPlan(meterCount: number, now: Date): DemoPlan {
  const running = Math.floor(now.getTime() / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
  const yesterday = Math.floor(now.getTime() / DAY_MS) * DAY_MS - DAY_MS;
  const at = (hour: number): string => new Date(yesterday + hour * HOUR_MS).toISOString();
  const perFeeder = Math.round(meterCount / METERS_PER_FEEDER);
  const feederCount = Math.min(MAX_FEEDER_COUNT, Math.max(MIN_FEEDER_COUNT, perFeeder));
  return {
    fleet: {
      meterCount,
      feederCount,
      batchSize: Math.min(MAX_BATCH_SIZE, meterCount),
      intervalMinutes: 15,
    },
    from: new Date(running - HISTORY_DAYS * DAY_MS).toISOString(),
    to: new Date(running).toISOString(),
    events: [
      { type: 'comms-outage', feederId: 'FEEDER_3', startAt: at(4), durationMinutes: 150, severity: 0.8 },
      { type: 'voltage-sag', feederId: 'FEEDER_5', startAt: at(15), durationMinutes: 120, severity: 0.9 },
      { type: 'theft', feederId: 'FEEDER_7', startAt: at(18), durationMinutes: 240, severity: 0.7 },
      {
        type: 'theft',
        feederId: 'FEEDER_9',
        startAt: new Date(running).toISOString(),
        durationMinutes: 360,
        severity: 0.8,
      },
    ],
  };
}
