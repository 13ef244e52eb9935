import { createHash } from 'node:crypto';

/** The headers of an answer that a browser asks about again each time. */
export const tagged = (tag: string): Record<string, string> => ({ ETag: tag, 'Cache-Control': 'no-cache' });

/**
 * Whether a caller already has the answer of this tag. Express's `request.fresh` does not do: a `fetch` that sends a tag
 * also sends `Cache-Control: no-cache`, and would then get the whole answer again.
 */
export function isAmong(tag: string, seen = ''): boolean {
  return seen.split(',').some((one) => one.trim() === tag || one.trim() === '*');
}

/** A weak tag of what an answer says, or of all that it follows from. */
export function tagOf(facts: unknown): string {
  return `W/"${createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22)}"`;
}
