import { z } from 'zod';
import { autoStartRequest } from '../contracts/autoRequest.js';
import { model, place } from '../contracts/emulation.js';
import { delivery, eventFields, form, MAX_EVENT_MINUTES } from '../contracts/eventRequest.js';
import { positiveInteger } from '../contracts/fields.js';
import {
  MAX_FEEDER_COUNT,
  MAX_METER_COUNT,
  MAX_REPLAY_SPEED,
  MIN_FEEDER_COUNT,
} from '../contracts/limits.js';

/**
 * The shape of a scenario file: what a fleet is asked for with is the body of `POST /auto/start`, and what happens to it has the
 * fields of `POST /event/<type>`, with times and feeders of its own.
 */

/** A scenario of ten years has 3,660 days; a data set has a file for each. */
const MAX_DAYS = 3_660;
/** More than a person writes by hand, and few enough to be posted one by one. */
export const MAX_EVENTS = 5_000;

const meters = `must be a whole number from 1 to ${MAX_METER_COUNT}`;
const feederCounts = `must be a whole number from ${MIN_FEEDER_COUNT} to ${MAX_FEEDER_COUNT}`;
const dates = 'must be a day of the fleet’s clock, for example "2026-03-01"';
const lengths = `must be a whole number from 1 to ${MAX_DAYS}`;
const clocks = 'must be a time of the fleet’s clock from "00:00" to "23:59"';
const dayNumbers = 'must be a whole number from 0, which is the first day of the span';
const minutes = `must be a whole number from 1 to ${MAX_EVENT_MINUTES}`;
const speeds = `must be a number from 1 to ${MAX_REPLAY_SPEED}`;

/** In quotes or not: YAML has no dates and no times in its core schema. */
const localDate = z
  .string(dates)
  .regex(/^\d{4}-\d{2}-\d{2}$/, dates)
  .refine(isDate, dates)
  .meta({ format: 'date' });
const clock = z.string(clocks).regex(/^([01]\d|2[0-3]):[0-5]\d$/, clocks);
const integerFrom = (least: number, most: number, message: string) =>
  z
    .number(message)
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, message)
    .meta({ type: 'integer', minimum: least, maximum: most });

function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return at >= Date.UTC(2000, 0, 1) && new Date(at).toISOString().startsWith(text);
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const weekdays = `must be a list of different days among ${WEEKDAYS.join(', ')}`;

const every = z
  .strictObject(
    {
      weekdays: z
        .array(z.enum(WEEKDAYS, weekdays), weekdays)
        .min(1, weekdays)
        .refine((days) => new Set(days).size === days.length, weekdays)
        .default([...WEEKDAYS])
        .describe('On these days of the week. Left out: each day.'),
      from: clock.describe('When it begins, by the fleet’s clock.'),
      to: clock.describe('When it ends; on the next day where that is not later than `from`.'),
      firstDay: integerFrom(0, MAX_DAYS, dayNumbers)
        .optional()
        .describe('Day of the span, from 0. Left out: 0.'),
      lastDay: integerFrom(0, MAX_DAYS, dayNumbers)
        .optional()
        .describe('Day of the span, itself included. Left out: the last.'),
    },
    'must be an object with from and to, for example { from: "18:00", to: "22:00" }',
  )
  .describe('Once a day, on some days of the week.');

const feeders = 'must be "all" or a list of different feeders, for example [FEEDER_1, FEEDER_2]';
const { severity, startAt, meterIds, meterFraction } = eventFields;
const names = 'must be 1 to 40 small letters, digits and "-"';

const happening = {
  name: z
    .string(names)
    .regex(/^[a-z0-9-]{1,40}$/, names)
    .optional()
    .describe('What the labels of a data set call it. Left out: its type and its number in the list.'),
  feeders: z
    .union(
      [
        z.literal('all'),
        z
          .array(z.string(feeders), feeders)
          .min(1, feeders)
          .refine((ids) => new Set(ids).size === ids.length, feeders),
      ],
      feeders,
    )
    .describe('On which feeders: it is one event for each.'),
  stepMinutes: integerFrom(0, MAX_EVENT_MINUTES, `must be a whole number from 0 to ${MAX_EVENT_MINUTES}`)
    .default(0)
    .describe('How much later it begins on each further feeder, in the order of the list.'),
  severity,
  meterIds,
  meterFraction,
  startAt: startAt.describe('When it begins, as an instant with a zone.'),
  day: integerFrom(0, MAX_DAYS, dayNumbers)
    .optional()
    .describe('When it begins: a day of the span, from 0, with `time`.'),
  time: clock.optional().describe('With `day`, by the fleet’s clock; left out: 00:00.'),
  every: every.optional(),
  durationMinutes: integerFrom(1, MAX_EVENT_MINUTES, minutes)
    .optional()
    .describe('Of an event with `startAt` or `day`.'),
};

const typed = <T extends string>(type: T) => ({ type: z.literal(type), ...happening });
export const scenarioEvent = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ ...typed('theft'), form }),
      z.strictObject({ ...typed('comms-outage'), delivery }),
      z.strictObject(typed('voltage-sag')),
    ],
    'must be an object whose type is "theft", "comms-outage" or "voltage-sag"',
  )
  .superRefine((event, { addIssue }) => {
    const wrong = (field: string, message: string): void =>
      addIssue({ code: 'custom', path: [field], message });
    const times = (['startAt', 'day', 'every'] as const).filter((field) => event[field] !== undefined);
    const [, second] = times;
    if (times.length === 0) wrong('day', 'must be given, or startAt, or every: an event has a time');
    else if (second) wrong(second, `must not be given together with ${times[0]}`);
    if (event.time !== undefined && event.day === undefined) wrong('time', 'must stand with day');
    if (event.every !== undefined && event.durationMinutes !== undefined)
      wrong('durationMinutes', 'must not be given with every, which says when it ends');
    if (event.every === undefined && times.length > 0 && event.durationMinutes === undefined)
      wrong('durationMinutes', minutes);
    if (event.meterIds !== undefined && event.meterFraction !== undefined)
      wrong('meterFraction', 'must not be given together with meterIds: an event takes one of them');
    if (event.severity === 0) wrong('severity', 'must be over 0: with 0 nothing happens');
  });
export type ScenarioEvent = z.infer<typeof scenarioEvent>;

const titles = 'must be 1 to 120 characters in one line';

/** What is asked of a fleet. Fields that `POST /auto/start` gets later are fields of a scenario as well. */
const fleet = autoStartRequest.omit({
  batchSize: true,
  catchUpIntervals: true,
  fleet: true,
  replay: true,
  meterCount: true,
  feederCount: true,
}).shape;

export const scenarioShape = z.strictObject(
  {
    scenario: z
      .string(titles)
      .regex(/^[^\p{Cc}]{1,120}$/u, titles)
      .describe('What it is called.'),
    description: z.string('must be a text').max(4_000, 'must have at most 4,000 characters').optional(),
    ...fleet,
    model: model
      .optional()
      .describe('Which customers: 1, or those of a place, 2 and 3. Left out: 2 with a place, else 1.'),
    place: place
      .optional()
      .describe('Whose weather, holidays and sun, with model 2, which it implies, or 3.'),
    meterCount: positiveInteger
      .refine((value) => value <= MAX_METER_COUNT, meters)
      .meta({ maximum: MAX_METER_COUNT, description: 'Meters of the fleet.' }),
    feederCount: integerFrom(MIN_FEEDER_COUNT, MAX_FEEDER_COUNT, feederCounts)
      .default(25)
      .meta({ default: 25, description: 'Feeders that they are spread over.' }),
    span: z
      .strictObject(
        {
          from: localDate.describe('The first day, by the fleet’s clock.'),
          days: integerFrom(1, MAX_DAYS, lengths).describe('How many days.'),
        },
        'must be an object with from and days, for example { from: 2026-03-01, days: 30 }',
      )
      .describe('Whole days of the fleet’s clock.'),
    speed: z
      .number(speeds)
      .min(1, speeds)
      .max(MAX_REPLAY_SPEED, speeds)
      .default(60)
      .describe('How many times as fast as life a deployment replays it; a data set does not care.'),
    events: z
      .array(scenarioEvent, 'must be a list of events')
      .max(MAX_EVENTS, `must have at most ${MAX_EVENTS} entries`)
      .default([]),
  },
  'must be a scenario: an object with scenario, tenantId, meterCount and span',
);
export type ScenarioFile = z.infer<typeof scenarioShape>;

/** The shape for editors: JSON Schema of what stands in a file. */
export function scenarioSchema(): object {
  const made = z.toJSONSchema(scenarioShape, { io: 'input', unrepresentable: 'any' });
  return { ...made, title: 'GridLens scenario' };
}
