import type { Request, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import { ApiError } from '../contracts/errors.js';
import { createAddressCounts, secondsUntilReset } from './addressCounts.js';

/** Long enough that a page which loads ten things at once is not counted as ten per second. */
const WINDOW_SECONDS = 10;

/**
 * Counts the reads of each client address, IPv6 by its /56, which one household or customer has to itself.
 *
 * This machine's own addresses have no limit: what comes from there is the operator, or a proxy on the same machine that
 * nobody has declared (TRUSTED_PROXY_HOPS), and its clients would be limited as one.
 *
 * @param perSecond reads of one address, as a mean over 10 s; 0 for no limit.
 * @throws ApiError 429 over the limit.
 */
export function limitPerAddress(
  perSecond: number,
  log: Logger,
): (request: Request, response: Response) => Promise<void> {
  const limit = perSecond * WINDOW_SECONDS;
  const warn = (error: unknown): void =>
    log.warn(
      { reason: error instanceof Error ? error.message : String(error) },
      'limits may see the address of a proxy in place of its clients: TRUSTED_PROXY_HOPS',
    );
  const count = rateLimit({
    windowMs: WINDOW_SECONDS * 1_000,
    limit: ({ ip = '' }) => (perSecond === 0 || isOwnMachine(ip) ? Number.POSITIVE_INFINITY : limit),
    store: createAddressCounts(),
    standardHeaders: false,
    legacyHeaders: false,
    // Each is looked at once, at the first request that it is about.
    logger: { warn, error: warn },
    handler(request, _response, next) {
      next(tooMany(perSecond, Math.min(WINDOW_SECONDS, secondsUntilReset(request))));
    },
  });
  return async (request, response) => {
    // What a proxy sends on is looked at by the library, which warns of one that nobody has declared.
    const { 'x-forwarded-for': sentOnFor, forwarded } = request.headers;
    if (isOwnMachine(request.ip ?? '') && sentOnFor === undefined && forwarded === undefined) return;
    return new Promise((resolve, reject) => {
      const next = (error?: unknown): void => {
        if (error === undefined) resolve();
        else reject(error);
      };
      void count(request, response, next);
    });
  };
}

function isOwnMachine(ip: string): boolean {
  return ip === '::1' || /^(::ffff:)?127\./.test(ip);
}

function tooMany(perSecond: number, retryAfterSeconds: number): ApiError {
  const message = `This address reads more than ${perSecond} times per second; ask again in ${retryAfterSeconds} s.`;
  return new ApiError(429, 'too_many_requests', message, {
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}
