import { z } from 'zod';

/** The value `.env.example` carries: copied as it is, everyone would share one key. */
const EXAMPLE_API_KEY = 'replace-with-a-long-random-key';

/** Keys, comma-separated: two of them while one takes the place of the other. No reason shows a key. */
export const apiKeys = z
  .string()
  .transform((value) => value.split(',').map((key) => key.trim()))
  .superRefine((keys, context) => {
    const message = problemOf(keys);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

function problemOf(keys: readonly string[]): string | undefined {
  if (keys.includes('')) return 'has a comma with no key before or after it';
  if (keys.some((key) => key.length < 16)) return 'must have at least 16 characters in each key';
  if (!keys.every((key) => /^[\x21-\x7e]+$/.test(key)))
    return 'must be printable ASCII without spaces, as it travels in a header';
  if (keys.includes(EXAMPLE_API_KEY)) return "is still the example's; make one of your own";
  if (new Set(keys).size < keys.length) return 'has a key twice';
  return undefined;
}
