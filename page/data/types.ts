/**
 * Answers of the API as JSON, by the schemas that the API reference is made from: docs/api.md says what the fields mean. Only
 * types come from there, so nothing of it is in the page's script.
 */
import type { z } from 'zod';
import type * as auto from '../../src/contracts/autoAnswer.js';
import type { backfillListed } from '../../src/contracts/backfillAnswer.js';
import type * as events from '../../src/contracts/eventAnswer.js';
import type { publishProgress } from '../../src/contracts/publishAnswer.js';
import type * as quickcheck from '../../src/contracts/quickcheckAnswer.js';
import type * as series from '../../src/contracts/seriesAnswer.js';
import type { FeederMetersQuery } from '../../src/contracts/seriesRequest.js';
import type * as vee from '../../src/contracts/veeAnswer.js';
import type { EventType } from '../core/events.js';

/** A table of events that is the customer's own may have other types; the page shows those that the product makes. */
type Typed<T extends { eventType: string }> = Omit<T, 'eventType'> & { eventType: EventType };

export type Tenants = z.infer<typeof series.tenantsAnswer>;

export type IntervalSummary = z.infer<typeof quickcheck.intervalSummary>;
export type LatestFeeder = z.infer<typeof quickcheck.latestFeeder>;
export type SuspiciousMeter = z.infer<typeof quickcheck.suspiciousMeter>;
export type FieldOperation = z.infer<typeof quickcheck.fieldOperation>;
type QuickcheckAnswer = z.infer<typeof quickcheck.quickcheckAnswer>;
export type Quickcheck = Omit<QuickcheckAnswer, 'activeEvents'> & {
  activeEvents: Typed<QuickcheckAnswer['activeEvents'][number]>[];
};

export type PilotEvent = Typed<z.infer<typeof events.listedEvent>>;
export type Events = Omit<z.infer<typeof events.eventsAnswer>, 'events'> & { events: PilotEvent[] };
export type EventCreated = Omit<z.infer<typeof events.eventCreated>, 'event'> & { event: PilotEvent };

export type FoundEvent = z.infer<typeof events.eventAnswer>;

export type ValidationRules = z.infer<typeof vee.veeRulesAnswer>;
export type ValidationRun = z.infer<typeof vee.veeRunAccepted>;
export type ValidationSummary = z.infer<typeof vee.veeSummaryAnswer>;

export type PublishProgress = z.infer<typeof publishProgress>;

export type FeederMatrix = z.infer<typeof series.feederMatrixAnswer>;
export type FeederSeries = z.infer<typeof series.feederSeriesAnswer>;

export type MeterOrder = FeederMetersQuery['sort'];
export type FeederMeters = z.infer<typeof series.feederMetersAnswer>;
export type FeederMeter = FeederMeters['meters'][number];

type MeterSeriesAnswer = z.infer<typeof series.meterSeriesAnswer>;
export type MeterSeries = Omit<MeterSeriesAnswer, 'events'> & {
  events: Typed<MeterSeriesAnswer['events'][number]>[];
};

export type AutoConfig = z.infer<typeof auto.autoConfig>;
export type AutoStatus = z.infer<typeof auto.autoStatus>;
export type Backfill = z.infer<typeof backfillListed>;
