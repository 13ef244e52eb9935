import type { z } from 'zod';
import { ApiError } from './errors.js';

/**
 * Parses input from outside.
 *
 * @throws ApiError 400 `invalid_request` with one sentence that names the first bad field, and all of them in
 * `details`.
 */
export function parseRequest<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap(detailsOf);
  const [first] = details;
  const message = first ? `${first.path || what} ${first.message}.` : `${what} is not valid.`;
  throw new ApiError(400, 'invalid_request', message, { details });
}

function detailsOf(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: key, message: 'is not a field of this request' }));
  }
  const path = issue.path.join('.');
  if (path === '' && issue.code === 'invalid_type') return [{ path, message: 'must be a JSON object' }];
  return [{ path, message: issue.message }];
}
