import { z } from 'zod';
import { invalidField } from './errors.js';
import { meterId } from './eventRequest.js';
import { boolean, boundary, instant, tenantId } from './fields.js';
import { requireAligned } from './instants.js';
import { timeZone } from './place.js';
import { requireSpan } from './seriesRequest.js';
import { RULE_DEFINITIONS, VEE_RULES, VEE_SEVERITIES, type VeeRule } from './veeRules.js';

/** What the routes of validation and estimation take. */

/** Days of one run, and of one summary. */
export const MOST_VEE_DAYS = 35;
/** Registers that a run may be given: 100 kB hold some 800. */
export const MOST_REGISTERS = 500;

const severityForm = `must be one of ${VEE_SEVERITIES.join(', ')}`;
const ruleOf = (rule: VeeRule) => {
  const { least, most, unit } = RULE_DEFINITIONS[rule];
  const form = `must be a number from ${least} to ${most} (${unit})`;
  return z.strictObject({
    severity: z.enum(VEE_SEVERITIES, severityForm).optional(),
    limit: z.number(form).min(least, form).max(most, form).optional(),
  });
};
const rules = z.strictObject(
  Object.fromEntries(VEE_RULES.map((rule) => [rule, ruleOf(rule).optional()])) as Record<
    VeeRule,
    z.ZodOptional<ReturnType<typeof ruleOf>>
  >,
);

const graceForm = 'must be a whole number from 0 to 96';

/** Body of `POST /api/ami/vee/rules`: what is left out stays as it is. */
export const veeRulesRequest = z.strictObject({
  tenantId,
  isOn: boolean.optional().describe('Whether each interval is validated once it is complete.'),
  estimates: boolean.optional().describe('Whether gaps and failed reads are then estimated.'),
  graceIntervals: z
    .int(graceForm)
    .min(0, graceForm)
    .max(96, graceForm)
    .optional()
    .describe('Quarter hours that a read may be late before its interval is validated without it.'),
  timeZone: timeZone.optional().meta({
    deprecated: true,
    description:
      'Deprecated: like days go by the zone of the tenant’s days, which `POST /zone` sets. Another one here is taken, with a warning; `"UTC"` goes back to the tenant’s.',
  }),
  rules: rules.optional().describe('By rule; what is left out stays as it is.'),
});
export type VeeRulesRequest = z.infer<typeof veeRulesRequest>;

const register = z.strictObject({
  meterId,
  from: instant.describe('When the first stand was read.'),
  to: instant.describe('When the second one was.'),
  kwh: z
    .number('must be a number of kWh from 0 up')
    .min(0, 'must be a number of kWh from 0 up')
    .describe('How far the register went on in between, kWh.'),
});

/** Body of `POST /api/ami/vee/runs`. */
export const veeRunRequest = z.strictObject({
  tenantId,
  from: boundary.describe('The first interval.'),
  to: boundary.describe(`The end, exclusive: at most ${MOST_VEE_DAYS} days later.`),
  estimate: boolean.default(false).describe('Whether gaps and failed reads are estimated then.'),
  registers: z
    .array(register)
    .max(MOST_REGISTERS, `must be at most ${MOST_REGISTERS} registers`)
    .default([])
    .describe('For the rule `register-sum`: what registers show.'),
});
export type VeeRunRequest = z.infer<typeof veeRunRequest>;

/**
 * Checks what one field alone cannot tell.
 *
 * @throws ApiError 400 for a span that is empty, too long, off the quarter hour or not over yet, and for a register whose
 * span lies outside of it.
 */
export function requireVeeRun({ from, to, registers }: VeeRunRequest, now: Date): void {
  requireAligned('from', from, 15);
  requireAligned('to', to, 15);
  requireSpan(from, to, MOST_VEE_DAYS);
  if (to > now) throw invalidField('to', 'must not lie in the future');
  for (const [index, register] of registers.entries()) {
    if (register.from >= register.to) throw invalidField(`registers.${index}.from`, 'must lie before its to');
    if (register.from < from || register.to > to)
      throw invalidField(`registers.${index}`, 'must lie within from and to of the run');
  }
}

/** Parameters in the path of the routes of one run. */
export const veeRunParameters = z.object({
  runId: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be the runId that a run answered with, a whole number')
    .transform(Number),
});

/** Query of `GET /api/ami/vee/summary`. */
export const veeSummaryQuery = z.object({
  tenantId,
  from: instant.describe('The beginning of the span.'),
  to: instant.describe(`The end, exclusive: at most ${MOST_VEE_DAYS} days later.`),
});
