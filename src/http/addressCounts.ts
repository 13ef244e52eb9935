import type { Request } from 'express';
import type { Options, RateLimitInfo, Store } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';

/** Addresses remembered at once, some 2 MB. Beyond them the one that was quiet for longest is forgotten. */
const MOST_ADDRESSES = 10_000;

/**
 * The counts of a limit per client address, in bounded memory. The library's own store keeps every address of a window:
 * whoever has a network of addresses fills the memory of the process with it.
 */
export function createAddressCounts(): Store {
  let windowMs = 60_000;
  const counts = new LRUCache<string, { totalHits: number; resetTime: Date }>({ max: MOST_ADDRESSES });
  const current = (key: string) => {
    const count = counts.get(key);
    return count && count.resetTime.getTime() > Date.now() ? count : undefined;
  };
  return {
    localKeys: true,
    init(options: Options) {
      windowMs = options.windowMs;
    },
    get: current,
    increment(key) {
      const count = current(key) ?? { totalHits: 0, resetTime: new Date(Date.now() + windowMs) };
      count.totalHits += 1;
      counts.set(key, count);
      return { ...count };
    },
    decrement(key) {
      const count = current(key);
      if (count !== undefined && count.totalHits > 0) count.totalHits -= 1;
    },
    resetKey(key) {
      counts.delete(key);
    },
  };
}

/** What a limit has counted of the request's address; undefined where no limit has looked at the request. */
export function countOf(request: Request): RateLimitInfo | undefined {
  return (request as Request & { rateLimit?: RateLimitInfo }).rateLimit;
}

/** After how many seconds, 1 or more, the request's address is counted anew. */
export function secondsUntilReset(request: Request): number {
  return Math.max(1, Math.ceil(((countOf(request)?.resetTime?.getTime() ?? 0) - Date.now()) / 1_000));
}
