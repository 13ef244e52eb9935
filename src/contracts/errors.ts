import type { ErrorCode } from './errorCodes.js';

/** Errors with a meaning for the person who caused them. Everything else is a fault of ours and answers 500. */

export interface ErrorDetail {
  /** Dotted path of the offending field, `''` for the body as a whole. */
  path: string;
  message: string;
}

/** An error that maps to one HTTP answer of the envelope in docs/api.md. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly extra: {
      details?: ErrorDetail[];
      headers?: Record<string, string>;
      body?: Record<string, unknown>;
    } = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A 400 about one field, whose name begins the sentence: `readAt must not lie in the future.` */
export function invalidField(path: string, message: string): ApiError {
  return new ApiError(400, 'invalid_request', `${path} ${message}.`, { details: [{ path, message }] });
}

/** Start-up cannot go on; `message` is the one actionable sentence a person sees, without a stack. */
export class StartupError extends Error {
  override name = 'StartupError';
}

/** Postgres or the queue did not answer, or not in time. */
export class DependencyUnavailableError extends Error {
  override name = 'DependencyUnavailableError';
  constructor(
    readonly dependency: 'postgres' | 'queue',
    cause: unknown,
    /** What is wrong and what ends it, for whoever asks: it names no host, user or value. */
    readonly advice?: string,
  ) {
    super(`${dependency === 'postgres' ? 'Postgres' : 'The queue'} is not available: ${causeText(cause)}`, {
      cause,
    });
  }
}

/** The queue would hold more than its bound; nothing was accepted. */
export class BackpressureError extends Error {
  override name = 'BackpressureError';
  constructor(
    readonly depth: {
      waiting: number;
      delayed: number;
      outstanding: number;
      requested: number;
      limit: number;
    },
    readonly retryAfterSeconds: number,
  ) {
    super('Backpressure: queue too deep');
  }
}

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as { code?: unknown }).code;
  return cause.message || (typeof code === 'string' ? code : cause.name);
}
