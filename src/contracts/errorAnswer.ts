import { z } from 'zod';
import { count } from './answerFields.js';
import { ERROR_CODES, type ErrorCode } from './errorCodes.js';
import { dependencies } from './statusAnswer.js';

/** What the bodies of some failures say beyond those of all others. */
const MORE = {
  invalid_request: {
    details: z
      .array(
        z.strictObject({
          path: z.string().describe('The field, with dots; empty for the body as a whole.'),
          message: z.string().describe('The end of a sentence that begins with the field.'),
        }),
      )
      .optional()
      .describe('Each field that is wrong.'),
  },
  file_ambiguous: {
    questions: z.array(z.string()).optional().describe('What the file does not say, each as a question.'),
    format: z.string().optional().describe('Found by content.'),
    mapping: z.string().optional().describe('Of CSV: what its text says, as YAML, to be completed.'),
  },
  file_refused: {
    importId: count.optional().describe('The import that has failed, with all that was refused.'),
    refusals: z
      .array(z.strictObject({ line: count, meterId: z.string().optional(), reason: z.string() }))
      .optional()
      .describe('The first rows that were refused.'),
  },
  backpressure: {
    waiting: count.optional().describe('Jobs that wait.'),
    delayed: count.optional().describe('Jobs that are due later.'),
    outstanding: count.optional().describe('Batches that are accepted and not written.'),
    requested: count.optional().describe('Batches that were asked for.'),
    limit: count.optional().describe('As many as the queue holds.'),
  },
  unavailable: {
    dependency: z
      .enum(['postgres', 'queue', 'clock'])
      .optional()
      .describe('What is away or wrong, where that is known.'),
    dependencies: dependencies.optional().describe('Only of `GET /readyz`.'),
  },
} satisfies Partial<Record<ErrorCode, z.ZodRawShape>>;

/** The codes whose `details` name the fleet. */
const WITH_DETAILS: readonly ErrorCode[] = ['registry_empty', 'fleet_unavailable'];

function moreOf(code: ErrorCode): z.ZodRawShape {
  if (WITH_DETAILS.includes(code)) return MORE.invalid_request;
  return code in MORE ? MORE[code as keyof typeof MORE] : {};
}

/**
 * The body of a failure with one of these codes.
 *
 * @param codes of one status.
 */
export function errorAnswer(codes: readonly [ErrorCode, ...ErrorCode[]]) {
  const more: z.ZodRawShape = Object.assign({}, ...codes.map(moreOf));
  return z.strictObject({
    ok: z.literal(false),
    error: z.string().describe('One sentence for people.'),
    code: z.enum(codes).describe(codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].when}`).join(' ')),
    requestId: z.string().describe('The same as in the header `X-Request-Id`; the log has it.'),
    ...more,
  });
}
