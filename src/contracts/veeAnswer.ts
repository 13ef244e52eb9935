import { z } from 'zod';
import { count, instantText, ok, percentage, tenantName } from './answerFields.js';
import { RULE_DEFINITIONS, VEE_RULES, VEE_SEVERITIES } from './veeRules.js';

/** What the routes of validation and estimation answer, as it stands in the JSON. */

const rule = z.enum(VEE_RULES);
const severity = z.enum(VEE_SEVERITIES);
const units = [...new Set(VEE_RULES.map((one) => RULE_DEFINITIONS[one].unit))];
const warnings = z
  .array(z.string())
  .optional()
  .describe(
    'What a customer’s own table has no place for, and a zone of the rules beside that of the tenant’s days.',
  );
const byRule = z.partialRecord(rule, count).describe('Findings by rule, also of those that were not kept.');

export const veeRulesAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    isOn: z.boolean().describe('Whether each interval is validated once it is complete.'),
    estimates: z.boolean().describe('Whether gaps and failed reads are then estimated.'),
    graceIntervals: count.describe('Quarter hours that a read may be late.'),
    timeZone: z.string().describe('By whose clock like days go.'),
    timeZoneOf: z
      .enum(['tenant', 'rules'])
      .describe('Whether it is the zone of the tenant’s days (`POST /zone`) or one that the rules name.'),
    rules: z.array(
      z.strictObject({
        rule,
        name: z.string().describe('What the field calls it.'),
        finds: z.string().describe('What has to be exceeded.'),
        unit: z.enum(units as [string, ...string[]]).describe('Of `limit`.'),
        severity: severity.describe('`flag` records; `fail` also marks the read as questionable.'),
        limit: z.number(),
        usual: z.strictObject({ severity, limit: z.number() }).describe('Where a tenant has set nothing.'),
      }),
    ),
    warnings,
  })
  .meta({ id: 'ValidationRules' });

const run = {
  ok,
  runId: count.describe('Asks for its progress: `GET /api/ami/vee/runs/{runId}`.'),
  tenantId: z.string(),
  origin: z.enum(['interval', 'request']),
  from: instantText,
  to: instantText.describe('Exclusive.'),
  estimate: z.boolean(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  meters: count,
  reads: count.describe('Reads that were looked at.'),
  findings: byRule,
  kept: count.describe('Findings that were kept: the first 20,000.'),
  marked: count.describe('Reads that were marked as questionable.'),
  estimated: z
    .record(z.string(), count)
    .describe('Estimates by method; under `none` intervals that there was nothing to estimate by.'),
  requestedAt: instantText,
  startedAt: instantText.nullable(),
  finishedAt: instantText.nullable(),
  failure: z.string().optional().describe('Why it does not go on, or has ended before its end.'),
  warnings,
};

export const veeRunAccepted = z.strictObject(run).meta({ id: 'ValidationRun' });

export const veeRunAnswer = z
  .strictObject({
    ...run,
    found: z
      .array(
        z.strictObject({
          meterId: z.string(),
          rule,
          from: instantText,
          to: instantText.describe('Exclusive.'),
          value: z.number().describe('In the unit of the rule; of a spike kWh.'),
          limit: z.number().describe('What it was held to, in the same unit.'),
          severity,
        }),
      )
      .max(1_000)
      .describe('The first findings, by meter and time, that no later run has taken the place of.'),
  })
  .meta({ id: 'ValidationProgress' });

export const veeSummaryAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    from: instantText,
    to: instantText,
    rules: z.array(z.strictObject({ rule, findings: count, meters: count })),
    qualities: z
      .array(z.strictObject({ quality: z.string(), reads: count }))
      .describe('As the last run over each interval has left them; nothing of what was not validated.'),
    estimates: z.strictObject({
      standing: count.describe('Estimates that still stand.'),
      gaveWay: count.describe('Estimates whose place a measured read has taken.'),
    }),
    reads: z
      .strictObject({
        arrived: count.describe('Estimates among them, as in completeness.'),
        estimated: count.describe('Those that are estimates, by a run of validation or by an imported file.'),
        estimatedPct: percentage.describe('`estimated` in percent of `arrived`; null without a read.'),
      })
      .describe('All reads that begin in the span, as they stand now.'),
  })
  .meta({ id: 'ValidationSummary' });
