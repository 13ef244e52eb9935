import { z } from 'zod';
import {
  count,
  instantText,
  intervalEnd,
  intervalStart,
  ok,
  safetyWarnings,
  tenantName,
} from './answerFields.js';
import { DELIVERIES, THEFT_FORMS } from './eventRequest.js';

/** What the routes of events answer, as it stands in the JSON. */

const id = z.guid();
const eventType = z
  .string()
  .describe('`theft`, `comms-outage` or `voltage-sag`; a table of events that is your own may have others.');
const severity = z.number().min(0).max(1);
const span = { startAt: instantText, endAt: instantText.describe('Exclusive.') };

/** An event under way, as dashboards show it. */
export const activeEvent = z
  .strictObject({ id, feederId: z.string(), eventType, severity, ...span })
  .meta({ id: 'ActiveEvent' });

const event = {
  id,
  tenantId: z.string(),
  feederId: z.string(),
  eventType,
  severity,
  ...span,
  isActive: z.boolean(),
  state: z.enum(['active', 'ended', 'scheduled']),
  meterIds: z.array(z.string()).nullable().describe('Null where the event names no meters.'),
  meterFraction: z.number().nullable().describe('The share of the feeder’s meters that the event concerns.'),
  delivery: z
    .enum(DELIVERIES)
    .optional()
    .describe('Of a comms outage: whether its reads are lost or delivered after it.'),
  form: z.enum(THEFT_FORMS).optional().describe('Of a theft: how it changes what the meters register.'),
  stoppedAt: instantText.nullable().describe('When it was ended early.'),
  createdAt: instantText,
};

export const pilotEvent = z.strictObject(event).meta({ id: 'Event' });
export const listedEvent = z
  .strictObject({
    ...event,
    meterIdCount: count
      .optional()
      .describe('How many meters it names, where that is more than the 20 that `meterIds` has.'),
  })
  .meta({ id: 'ListedEvent' });

/** An event by itself: of a late outage with what became of its reads. */
const foundEvent = z
  .strictObject({
    ...event,
    lateReads: z
      .strictObject({
        heldBack: count.describe('Reads that it still holds back.'),
        onTheWay: count.describe('Reads whose delivery is accepted and not written.'),
        delivered: count.describe('Reads delivered after it.'),
        lost: count.describe('Reads that could not be delivered any more.'),
      })
      .optional()
      .describe('Of a comms outage with `"delivery": "late"`, and in the answer to a GET alone.'),
  })
  .meta({ id: 'FoundEvent' });

export const eventAnswer = z.strictObject({ ok, event: foundEvent }).meta({ id: 'EventAnswer' });

export const eventCreated = z
  .strictObject({
    ok,
    event: pilotEvent,
    revision: z
      .strictObject({
        publishId: z.uuid(),
        readAt: instantText,
        intervalStart,
        intervalEnd,
        enqueuedJobs: count,
        computedMeters: count,
        estimatedRuntimeSeconds: z.number().nonnegative(),
      })
      .nullable()
      .optional()
      .describe(
        'Only with `applyNow`: the publish that writes the feeder anew, null where nothing is to be written.',
      ),
    safetyWarnings,
  })
  .meta({ id: 'EventCreated' });

export const eventsAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    events: z.array(listedEvent).max(200),
    next: id.optional().describe('Where more follow: the `after` of the next page.'),
  })
  .meta({ id: 'Events' });
