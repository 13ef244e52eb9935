import type { z } from 'zod';
import type { ErrorCode } from '../contracts/errorCodes.js';
import { PROBES } from '../http/allowedHosts.js';

/** The chapters of the reference, in their order. */
export const TAGS = {
  Publishing: 'An interval of reads, written once by the queue and the workers.',
  'Automatic mode': 'Every interval of a tenant published by itself.',
  Backfill: 'A span of the past, filled behind all else.',
  Imports: 'Files of interval data, written behind all else.',
  Validation: 'Reads held to rules, and gaps estimated (VEE).',
  Events: 'Theft, comms outage and voltage sag, injected into reads.',
  'Key figures': 'What the reads alone show, now and over time, each with an `ETag`, and by whose days.',
  Exports: 'Reads as files, for other programs and for an import.',
  Status: 'What works and what waits.',
  Pages: 'For browsers and tools.',
} as const;
export type Tag = keyof typeof TAGS;

/** An answer that is no failure. */
export interface Answer {
  description: string;
  /** Left out for an answer without a body. */
  schema?: z.ZodType;
  /** JSON where it is not said. */
  contentType?: string;
  examples?: Record<string, unknown>;
  /** Names of headers, with what they say. */
  headers?: Record<string, string>;
}

/** A route, as the reference describes it. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'delete';
  /** With parameters as OpenAPI writes them: `/api/ami/publish/{publishId}`. */
  path: string;
  id: string;
  tag: Tag;
  summary: string;
  description?: string;
  /** Which key it needs; `read` and `scrape` are needs only where GRIDLENS_READ_KEY is set; `any` is one of either kind, always. A scrape has no other limits. */
  key: 'none' | 'read' | 'scrape' | 'any' | 'write';
  /** Parameters in the path, the schema that validates them. */
  parameters?: z.ZodObject;
  query?: z.ZodObject;
  /** A value for each parameter of path or query that an example request carries. */
  given?: Record<string, string>;
  /** Example bodies have names that say what they do. */
  body?: { schema: z.ZodType; examples: Record<string, object> };
  /** What the body is, where it is a file. */
  file?: string;
  answers: Record<number, Answer>;
  /** Codes that it fails with beside those of all routes with such a key and body. */
  errors: ErrorCode[];
}

/** Of every route: what is refused before a route is asked, other methods, faults. */
const OF_ALL: ErrorCode[] = [
  'invalid_request',
  'method_not_allowed',
  'request_timeout',
  'uri_too_long',
  'misdirected_request',
  'headers_too_large',
  'internal',
];
const OF_KEY: Record<Operation['key'], ErrorCode[]> = {
  none: [],
  read: ['unauthorized', 'too_many_wrong_keys', 'too_many_requests', 'busy', 'unavailable'],
  any: ['unauthorized', 'too_many_wrong_keys', 'too_many_requests', 'busy', 'unavailable'],
  scrape: ['unauthorized', 'too_many_wrong_keys'],
  write: ['unauthorized', 'forbidden', 'too_many_wrong_keys', 'busy', 'unavailable'],
};
const OF_BODY: ErrorCode[] = ['invalid_json', 'body_too_large', 'unsupported_media_type'];
const OF_FILE: ErrorCode[] = [
  'file_ambiguous',
  'file_refused',
  'body_too_large',
  'unsupported_media_type',
  'no_room',
];

/** Every code that a route can fail with. */
export function errorsOf({ path, key, body, file, errors }: Operation): ErrorCode[] {
  const ofAll = PROBES.includes(path) ? OF_ALL.filter((code) => code !== 'misdirected_request') : OF_ALL;
  return [...ofAll, ...OF_KEY[key], ...(body ? OF_BODY : []), ...(file ? OF_FILE : []), ...errors];
}

const TAGGED = { ETag: 'Stands for the answer: with `If-None-Match` it is not sent again until it changes.' };

/** 200, and 304 to a caller that has the answer. */
export function taggedAnswers(
  description: string,
  schema: z.ZodType,
  example: unknown,
): Operation['answers'] {
  return {
    200: { description, schema, examples: { answer: example }, headers: TAGGED },
    304: { description: 'Nothing has changed since the answer with this tag.', headers: TAGGED },
  };
}
