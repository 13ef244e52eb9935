import type { RuleSettings, VeeRule } from '../contracts/veeRules.js';
import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { numberArray, textArray } from '../reads/meterReads.js';
import type { ReadsMapping } from '../schema/mapping.js';
import { keepFindings } from './findings.js';
import { type Mark, markReads } from './marks.js';
import type { Finding } from './mergedFindings.js';
import { DAY, type Found, HOUR, type MeterSpan, MINUTE, type SpanRead } from './rules/meterSpan.js';
import { PAST_DAYS } from './rules/past.js';
import { validateMeter } from './rules/validate.js';
import { moveRun, type Place, type VeeRun } from './runs.js';
import {
  batchSize,
  type FetchedMeter,
  fetchReads,
  metersAfter,
  pastWindows,
  rememberIntervals,
  type TenantIntervals,
} from './spanReads.js';

/** Findings of one run that are kept; further ones are counted. */
export const MOST_KEPT = 20_000;
const QUARTER_HOUR = 15 * MINUTE;

/** The part of a span that begins at an instant: to the end of its UTC day. */
export function partAt(from: number, to: number): { from: number; to: number } {
  return { from, to: Math.min(to, Math.floor(from / DAY) * DAY + DAY) };
}

/** Validates runs batch by batch. */
export function createPartValidator(database: Database, reads: ReadsMapping) {
  const intervalsOf = rememberIntervals(database);

  /**
   * Validates the next batch of meters of the run's part, and moves the run on: to the next part where there is no further
   * meter, and behind the last one to registers.
   *
   * @throws RunMovedError where another process has done so meanwhile; then nothing is kept.
   */
  return async (run: VeeRun, rules: RuleSettings): Promise<void> => {
    const part = partAt(run.partAt.getTime(), run.to.getTime());
    const windows = pastWindows(part, PAST_DAYS);
    const size = batchSize([part, ...windows]);
    const meterIds = await metersAfter(database, run.tenantId, run.afterMeter, size);
    const intervals = await intervalsOf(run, part, PAST_DAYS);
    const fetched = await fetchReads(database, run.tenantId, meterIds, part, windows, intervals.minutesAt);
    const before = await zerosBefore(database, run, rules, part, fetched, intervals);
    const found = fetched.map((meter): MeterSpan & { found: Found[] } => {
      const spanOf = { ...meter, before: before.get(meter.meterId) ?? [] };
      return { ...spanOf, found: validateMeter(spanOf, { ...part, tenantHas: intervals.has, rules }) };
    });
    await withTransaction(database, (client) => keep(client, reads, run, rules, part, meterIds, found, size));
  };
}

/** Reads right before the part, of meters whose first read in it is zero. */
async function zerosBefore(
  client: Queryable,
  run: VeeRun,
  rules: RuleSettings,
  part: { from: number; to: number },
  fetched: readonly FetchedMeter[],
  { minutesAt }: TenantIntervals,
): Promise<ReadonlyMap<string, readonly SpanRead[]>> {
  const { severity, limit } = rules['zero-run'];
  const withZero = fetched
    .filter(({ reads }) => reads[0]?.kwh === 0 && !reads[0].isFedIn)
    .map(({ meterId }) => meterId);
  if (severity === 'off' || withZero.length === 0) return new Map();
  const span = { from: part.from - limit * HOUR, to: part.from };
  const before = await fetchReads(client, run.tenantId, withZero, span, [], minutesAt);
  return new Map(before.map(({ meterId, reads }) => [meterId, reads]));
}

async function keep(
  client: Queryable,
  reads: ReadsMapping,
  run: VeeRun,
  rules: RuleSettings,
  part: { from: number; to: number },
  meterIds: readonly string[],
  meters: readonly (MeterSpan & { found: Found[] })[],
  size: number,
): Promise<void> {
  const findings = meters.flatMap(({ meterId, found }) =>
    found.map(({ reads: _, ...one }): Finding => {
      return { ...one, meterId, severity: rules[one.rule].severity, runId: run.runId };
    }),
  );
  const kept = findings.slice(0, Math.max(0, MOST_KEPT - run.kept));
  const marks = meters.flatMap((meter) => marksOf(meter, rules));
  await moveRun(client, run, nextPlace(run, part, meterIds, size), {
    meters: meterIds.length,
    reads: meters.reduce((sum, { reads: ofMeter }) => sum + ofMeter.length, 0),
    findings: countsByRule(findings),
    kept: kept.length,
  });
  await keepFindings(client, run.tenantId, meterIds, part, kept);
  const marked = await markReads(client, reads, run, marks);
  if (marked > 0)
    await client.query('UPDATE ami_vee_runs SET marked = marked + $2 WHERE run_id = $1', [run.runId, marked]);
  await keepQualities(client, run, part, qualitiesOf(meters, reads.own ? marks : []));
}

/** The last meter of a batch that is not full is the last of the part. */
function nextPlace(run: VeeRun, part: { to: number }, meterIds: readonly string[], size: number): Place {
  if (meterIds.length === size)
    return { step: 'validate', partAt: run.partAt, afterMeter: meterIds.at(-1) ?? null };
  const isLast = part.to >= run.to.getTime();
  return {
    step: isLast ? 'registers' : 'validate',
    partAt: isLast ? run.from : new Date(part.to),
    afterMeter: null,
  };
}

export function countsByRule(findings: readonly Finding[]): Partial<Record<VeeRule, number>> {
  const counts: Partial<Record<VeeRule, number>> = {};
  for (const { rule } of findings) counts[rule] = (counts[rule] ?? 0) + 1;
  return counts;
}

/** The reads that a rule of severity `fail` has found, each by its first rule. */
function marksOf({ meterId, reads, found }: MeterSpan & { found: Found[] }, rules: RuleSettings): Mark[] {
  const ruleOf = new Map<number, VeeRule>();
  for (const { rule, reads: starts } of found)
    if (rules[rule].severity === 'fail') for (const at of starts) if (!ruleOf.has(at)) ruleOf.set(at, rule);
  return reads.flatMap(({ at, minutes, quality }) => {
    const rule = ruleOf.get(at);
    const isJudged = quality === null || quality === 'raw' || quality === 'validated';
    return rule === undefined || !isJudged ? [] : [{ meterId, at, minutes, rule }];
  });
}

/** Reads by quarter hour and quality: `at quality` → how many. */
function qualitiesOf(meters: readonly MeterSpan[], marks: readonly Mark[]): Map<string, number> {
  const questionable = new Set(marks.map(({ meterId, at }) => `${at} ${meterId}`));
  const counts = new Map<string, number>();
  for (const { meterId, reads } of meters)
    for (const { at, quality } of reads) {
      const after = questionable.has(`${at} ${meterId}`) ? 'questionable' : (quality ?? 'raw');
      const key = `${Math.floor(at / QUARTER_HOUR) * QUARTER_HOUR} ${after}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  return counts;
}

async function keepQualities(
  client: Queryable,
  run: VeeRun,
  part: { from: number; to: number },
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  if (run.afterMeter === null)
    await client.query(
      'DELETE FROM ami_vee_qualities WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $3',
      [run.tenantId, new Date(part.from), new Date(part.to)],
    );
  const keys = [...counts.keys()].map((key) => key.split(' ') as [string, string]);
  await client.query(
    `INSERT INTO ami_vee_qualities AS kept (tenant_id, read_at, quality, reads)
     SELECT $1, to_timestamp(at_s), quality, reads
     FROM unnest($2::double precision[], $3::text[], $4::bigint[]) AS counted (at_s, quality, reads)
     ON CONFLICT (tenant_id, read_at, quality) DO UPDATE SET reads = kept.reads + excluded.reads`,
    [
      run.tenantId,
      numberArray(keys.map(([at]) => Number(at) / 1000)),
      textArray(keys.map(([, quality]) => quality)),
      numberArray([...counts.values()]),
    ],
  );
}
