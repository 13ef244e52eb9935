import type { ApiError } from '../contracts/errors.js';

/** The body of every failure, as docs/api.md has it. */
export function envelopeOf(
  { code, message, extra: { details, body = {} } }: ApiError,
  requestId: unknown,
): object {
  return { ok: false, error: message, ...body, code, requestId, ...(details ? { details } : {}) };
}
