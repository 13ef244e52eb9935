import fc from 'fast-check';
import type { z } from 'zod';
import { autoStartRequest, autoStopRequest } from '../../../src/contracts/autoRequest.js';
import { backfillParameters, backfillRequest } from '../../../src/contracts/backfillRequest.js';
import { eventParameters, eventRequest, eventsQuery } from '../../../src/contracts/eventRequest.js';
import { tenantQuery } from '../../../src/contracts/fields.js';
import { publishOnceRequest, publishParameters } from '../../../src/contracts/publishRequest.js';
import { FEEDER_EVENT_TYPES } from '../../../src/emulator/events/feederEvent.js';
import { valuesOf } from './valuesOf.js';

/** A request as it is sent. */
export interface FuzzRequest {
  method: 'GET' | 'POST';
  /** With its query. */
  path: string;
  body?: string;
  contentType?: string;
  hasKey: boolean;
  /** Whether the contract takes what it carries; undefined where headers or size decide first. */
  isTaken?: boolean;
}

/** What each route with a body takes. */
const BODIES: Record<string, z.ZodType> = {
  'publish-once': publishOnceRequest,
  'auto/start': autoStartRequest,
  'auto/stop': autoStopRequest,
  start: autoStartRequest,
  stop: autoStopRequest,
  backfill: backfillRequest,
  ...Object.fromEntries(FEEDER_EVENT_TYPES.map((type) => [`event/${type}`, eventRequest])),
};
const QUERIES: Record<string, z.ZodType> = {
  events: eventsQuery,
  'auto/status': tenantQuery,
  backfills: tenantQuery,
  'kpi/quickcheck': tenantQuery,
  status: tenantQuery,
  'scale/status': tenantQuery,
};
/** Paths with an id, where it goes. */
const IDS: [FuzzRequest['method'], string, z.ZodType][] = [
  ['GET', 'publish/{id}', publishParameters.shape.publishId],
  ['GET', 'backfill/{id}', backfillParameters.shape.backfillId],
  ['POST', 'backfill/{id}/cancel', backfillParameters.shape.backfillId],
  ['GET', 'events/{id}', eventParameters.shape.id],
  ['POST', 'event/{id}/stop', eventParameters.shape.id],
];

const JSON_TYPE = 'application/json';
const OTHER_TYPES = [
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/json; charset=nonsense',
  'application/json, application/json',
  'application/vnd.api+json',
  ';;',
];

type Fields = Record<string, unknown>;

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, '', -1, 0, 1e308, 0.5, [], {}, '\u0000', '\ud800', '2026-13-45T99:00:00Z'),
  fc.integer({ min: 1, max: 3_000 }).map((length) => 'x'.repeat(length)),
);

/** A body with one field wrong, gone, or too much. */
function nearly(right: fc.Arbitrary<unknown>, names: string[]): fc.Arbitrary<unknown> {
  return fc.tuple(right, fc.constantFrom(...names), odd, fc.nat(3)).map(([value, name, other, kind]) => {
    const fields = { ...(value as Fields) };
    if (kind === 0) delete fields[name];
    else if (kind === 1) fields[`${name}x`] = other;
    else fields[name] = other;
    return fields;
  });
}

/** A field twice: JSON takes the second. */
const twice = (text: string, name: string, value: unknown): string =>
  text === '{}'
    ? `{${JSON.stringify(name)}:${JSON.stringify(value)}}`
    : `${text.slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`;

function bodyRequests(route: string, schema: z.ZodType): fc.Arbitrary<FuzzRequest> {
  const right = valuesOf(schema);
  const names = Object.keys((schema as z.ZodObject).shape);
  const request = (body: string, more: Partial<FuzzRequest> = {}): FuzzRequest => ({
    ...{ method: 'POST', path: `/api/ami/${route}`, body, contentType: JSON_TYPE, hasKey: true },
    ...more,
  });
  const judged = (body: string): FuzzRequest =>
    request(body, { isTaken: schema.safeParse(JSON.parse(body)).success });
  const text = right.map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 12, arbitrary: text.map(judged) },
    { weight: 8, arbitrary: nearly(right, names).map((value) => judged(JSON.stringify(value))) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(text, fc.constantFrom(...names), odd)
        .map(([body, name, other]) => judged(twice(body, name, other))),
    },
    { weight: 2, arbitrary: odd.map((value) => judged(JSON.stringify(value))) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(text, fc.constantFrom(...OTHER_TYPES))
        .map(([body, contentType]) => request(body, { contentType })),
    },
    { weight: 1, arbitrary: text.map((body) => request(body, { hasKey: false })) },
    { weight: 1, arbitrary: fc.string().map((body) => request(body)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(text, fc.integer({ min: 90_000, max: 300_000 }))
        .map(([body, size]) => request(twice(body, 'tenantId', 'x'.repeat(size)))),
    },
    {
      weight: 1,
      arbitrary: fc
        .integer({ min: 1_000, max: 40_000 })
        .map((depth) => request(`${'['.repeat(depth)}${']'.repeat(depth)}`)),
    },
  );
}

function queryRequests(route: string, schema: z.ZodType): fc.Arbitrary<FuzzRequest> {
  const right = valuesOf(schema);
  const names = Object.keys((schema as z.ZodObject).shape);
  const text = (fields: unknown): string =>
    Object.entries(fields as Fields)
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(sendable(value))}`)
      .join('&');
  const request = (query: string, more: Partial<FuzzRequest> = {}): FuzzRequest => ({
    ...{ method: 'GET', path: `/api/ami/${route}?${query}`, hasKey: true },
    ...more,
  });
  return fc.oneof(
    { weight: 3, arbitrary: right.map((fields) => request(text(fields))) },
    { weight: 3, arbitrary: nearly(right, names).map((fields) => request(text(fields))) },
    { weight: 1, arbitrary: fc.tuple(right, right).map((both) => request(both.map(text).join('&'))) },
    { weight: 1, arbitrary: fc.webQueryParameters().map((query) => request(query)) },
  );
}

/** Half a surrogate pair has no percent-encoding. */
const sendable = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\p{Cs}/gu, '?');

function idRequests([method, template, schema]: (typeof IDS)[number]): fc.Arbitrary<FuzzRequest> {
  const ids = fc.oneof(fc.uuid(), valuesOf(schema).map(sendable), odd.map(sendable));
  return fc.tuple(ids, fc.boolean()).map(([id, hasKey]) => ({
    ...{ method, hasKey },
    path: `/api/ami/${template.replace('{id}', () => encodeURIComponent(id) || '-')}`,
  }));
}

/** Requests to every route that takes something. */
export const requests: fc.Arbitrary<FuzzRequest> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.oneof(...Object.entries(BODIES).map(([route, schema]) => bodyRequests(route, schema))),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(...Object.entries(QUERIES).map(([route, schema]) => queryRequests(route, schema))),
  },
  { weight: 1, arbitrary: fc.oneof(...IDS.map(idRequests)) },
);
