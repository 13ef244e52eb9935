import { errorAnswer } from '../contracts/errorAnswer.js';
import { ERROR_CODES, type ErrorCode } from '../contracts/errorCodes.js';

const RETRY_AFTER = { 'Retry-After': 'Seconds to wait before the next try.' };
/** What failures of a status say in their headers. */
const HEADERS: Record<number, Record<string, string>> = {
  401: { 'WWW-Authenticate': 'Always `Bearer`.' },
  405: { Allow: 'The methods that the path takes.' },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

const REQUEST_ID = '3f0d5c0e-2f3e-4d8a-9c55-0d6f6a5b7c11';
/** What the bodies of some failures have beside a sentence. */
const BODIES: Partial<Record<ErrorCode, object>> = {
  invalid_request: {
    details: [{ path: 'tenantId', message: 'must be a string, for example "DEMO_TENANT"' }],
  },
  backpressure: { waiting: 310, delayed: 140, outstanding: 460, requested: 50, limit: 500 },
  unavailable: { dependency: 'postgres' },
};

/** The failures of one status that a route can answer. */
export interface ErrorResponse {
  status: number;
  /** The same for all routes that fail with the same codes. */
  name: string;
  description: string;
  headers: Record<string, string>;
  schema: ReturnType<typeof errorAnswer>;
  examples: Record<string, object>;
}

/** They are few, and a schema takes a while to make: without this the document took 400 ms. */
const made = new Map<string, ErrorResponse>();

/** A route's failures, by status. */
export function errorResponses(codes: readonly ErrorCode[]): ErrorResponse[] {
  const statuses = [...new Set(codes.map((code) => ERROR_CODES[code].status))].toSorted((a, b) => a - b);
  return statuses.map((status) => {
    const ofStatus = [...new Set(codes)].filter((code) => ERROR_CODES[code].status === status).toSorted();
    const name = [status, ...ofStatus].join('.');
    const response = made.get(name) ?? errorResponse(name, status, ofStatus as [ErrorCode, ...ErrorCode[]]);
    made.set(name, response);
    return response;
  });
}

function errorResponse(
  name: string,
  status: number,
  codes: readonly [ErrorCode, ...ErrorCode[]],
): ErrorResponse {
  return {
    status,
    name,
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].when}`).join(' '),
    headers: HEADERS[status] ?? {},
    schema: errorAnswer(codes),
    examples: Object.fromEntries(codes.map((code) => [code, bodyOf(code)])),
  };
}

function bodyOf(code: ErrorCode): object {
  const { example } = ERROR_CODES[code];
  return { ok: false, error: example, ...BODIES[code], code, requestId: REQUEST_ID };
}
