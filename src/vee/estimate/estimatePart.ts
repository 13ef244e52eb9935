import type { RuleSettings } from '../../contracts/veeRules.js';
import { type Database, type Queryable, withTransaction } from '../../db/db.js';
import { LocalZone } from '../../intervalFiles/time/localZone.js';
import { numberArray, textArray } from '../../reads/meterReads.js';
import { DAY, HOUR, type MeterSpan, MINUTE, type Part } from '../rules/meterSpan.js';
import { PAST_DAYS, type Past } from '../rules/past.js';
import { moveRun, type VeeRun } from '../runs.js';
import {
  batchSize,
  fetchReads,
  metersAfter,
  metersAtOnce,
  pastWindows,
  rememberIntervals,
  type TenantIntervals,
} from '../spanReads.js';
import { partAt } from '../validatePart.js';
import { type Estimate, estimateHole, LIKE_DAYS, SCALE_HOURS } from './estimate.js';
import { type Hole, holesOf } from './holes.js';

/** What is seen beside a part, so that a hole of two hours is seen whole with its neighbours. */
const BESIDE_HOURS = Math.max(3, SCALE_HOURS) + 1;
const QUARTER_HOUR = 15 * MINUTE;
/** A clock may differ by so much from what it was four weeks ago. */
const CLOCK_CHANGE = 2 * HOUR;

/** What is estimated of a run, in ms: nothing that may still arrive. */
export function estimatedSpan(run: VeeRun, graceIntervals: number, now: Date): { from: number; to: number } {
  const grace = graceIntervals * QUARTER_HOUR;
  const latest = Math.floor((now.getTime() - grace) / QUARTER_HOUR) * QUARTER_HOUR;
  const [from, to] = [run.from.getTime(), run.to.getTime()];
  // Of intervals as they come each is estimated once, so much later.
  return run.origin === 'interval'
    ? { from: from - grace, to: Math.min(to - grace, latest) }
    : { from, to: Math.min(to, latest) };
}

interface Asked {
  rules: RuleSettings;
  timeZone: string;
  /** What is estimated of the run, in ms. */
  span: { from: number; to: number };
  now: Date;
}

/** Estimates runs batch by batch, behind their validation. */
export function createPartEstimator(database: Database) {
  const intervalsOf = rememberIntervals(database);

  /**
   * Estimates the next batch of meters of the run's part, and moves the run on: behind its last part to the end of what is
   * estimated of it.
   *
   * @throws RunMovedError where another process has done so meanwhile; then nothing is kept.
   */
  return async (run: VeeRun, { rules, timeZone, span, now }: Asked): Promise<void> => {
    const part = partAt(run.partAt.getTime(), span.to);
    const wide = {
      from: part.from - BESIDE_HOURS * HOUR,
      to: Math.min(part.to + BESIDE_HOURS * HOUR, now.getTime()),
    };
    const windows = pastWindows(wide, PAST_DAYS).filter(
      // Of the past no more is needed than whether the meter had the interval a day or a week before.
      ({ to }) => to > wide.from - 8 * DAY,
    );
    const size = batchSize([wide, ...windows]);
    const meterIds = await metersAfter(database, run.tenantId, run.afterMeter, size);
    const intervals = await intervalsOf(run, wide, LIKE_DAYS);
    const lacking = await metersLacking(database, run.tenantId, meterIds, part, intervals);
    const fetched = await fetchReads(database, run.tenantId, lacking, wide, windows, intervals.minutesAt);
    const whole: Part = { ...wide, tenantHas: intervals.has, rules };
    const meters = fetched.flatMap((meter) => {
      const spanOf = { ...meter, before: [] };
      const holes = holesOf(spanOf, whole).filter(({ from, to }) => from < part.to && to > part.from);
      return holes.length > 0 ? [{ ...spanOf, holes }] : [];
    });
    const estimates = await estimatesOf(database, run, meters, new LocalZone(timeZone), intervals, part);
    const isLastOfPart = meterIds.length < size;
    const asked = meters.reduce((sum, { holes }) => sum + intervalsIn(holes, part), 0);
    await withTransaction(database, async (client) => {
      const next = isLastOfPart
        ? { step: 'estimate' as const, partAt: new Date(part.to), afterMeter: null }
        : { step: 'estimate' as const, partAt: run.partAt, afterMeter: meterIds.at(-1) ?? null };
      await moveRun(client, run, next, { estimated: countsByMethod(estimates, asked) });
      await keepEstimates(client, run, estimates);
    });
  };
}

/** Those of the meters that have not measured all of a part. What of it was expected of them is not asked here. */
async function metersLacking(
  database: Database,
  tenantId: string,
  meterIds: readonly string[],
  part: { from: number; to: number },
  { minutesAt }: TenantIntervals,
): Promise<string[]> {
  const { rows } = await database.query<{ meterId: string }>({
    name: 'vee-meters-lacking',
    text: `SELECT meter.id AS "meterId" FROM unnest($2::text[]) AS meter (id)
           WHERE (SELECT coalesce(sum(coalesce(interval_minutes, $5)) FILTER (
                    WHERE quality IS DISTINCT FROM 'questionable'), 0) < $6
                  FROM ami_vee_reads($1, meter.id, $3, $4) read)`,
    values: [
      tenantId,
      meterIds,
      new Date(part.from),
      new Date(part.to),
      minutesAt(part.from),
      (part.to - part.from) / MINUTE,
    ],
  });
  return rows.map(({ meterId }) => meterId);
}

interface MeterEstimate extends Estimate {
  meterId: string;
}

/** By like days a meter needs four weeks of reads, which are fetched for those alone that have a hole. */
async function estimatesOf(
  database: Database,
  run: VeeRun,
  meters: readonly (MeterSpan & { holes: Hole[] })[],
  zone: LocalZone,
  { minutesAt }: TenantIntervals,
  part: { from: number; to: number },
): Promise<MeterEstimate[]> {
  const estimates: MeterEstimate[] = [];
  const waiting = [...meters];
  while (waiting.length > 0) {
    const from = Math.min(...waiting.flatMap(({ holes }) => holes.map((hole) => hole.from)));
    const to = Math.max(...waiting.flatMap(({ holes }) => holes.map((hole) => hole.to)));
    const around = {
      from: from - SCALE_HOURS * HOUR - CLOCK_CHANGE,
      to: to + SCALE_HOURS * HOUR + CLOCK_CHANGE,
    };
    const windows = pastWindows(around, LIKE_DAYS, to);
    const group = waiting.splice(0, Math.max(1, metersAtOnce(windows)));
    const ids = group.map(({ meterId }) => meterId);
    const past = await fetchReads(database, run.tenantId, ids, { from, to: from }, windows, minutesAt);
    const pastOf = new Map(past.map((meter) => [meter.meterId, meter.past]));
    for (const { meterId, reads, holes } of group)
      for (const hole of holes)
        for (const one of estimateHole(hole, { reads, past: pastOf.get(meterId) as Past, zone }))
          if (one.at >= part.from && one.at < part.to) estimates.push({ ...one, meterId });
  }
  return estimates;
}

function intervalsIn(holes: readonly Hole[], part: { from: number; to: number }): number {
  return holes.reduce(
    (sum, { from, to, minutes }) =>
      sum + (Math.min(to, part.to) - Math.max(from, part.from)) / (minutes * MINUTE),
    0,
  );
}

function countsByMethod(estimates: readonly Estimate[], asked: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { method } of estimates) counts[method] = (counts[method] ?? 0) + 1;
  const none = Math.max(0, Math.round(asked) - estimates.length);
  return none > 0 ? { ...counts, none } : counts;
}

/** Each goes to the feeder that its meter was last read on. */
async function keepEstimates(
  client: Queryable,
  run: VeeRun,
  estimates: readonly MeterEstimate[],
): Promise<void> {
  if (estimates.length === 0) return;
  const first = Math.min(...estimates.map(({ at }) => at));
  await client.query(
    `WITH estimate AS (
       SELECT * FROM unnest($3::text[], $4::double precision[], $5::smallint[], $6::numeric[], $7::text[])
         AS estimate (meter_id, at_s, minutes, kwh, method)
     ), feeder AS MATERIALIZED (
       SELECT meter_id, coalesce(
         (SELECT feeder_id FROM ami_vee_reads($1, meter_id, $8, $9) read ORDER BY read_at DESC LIMIT 1),
         (SELECT known.feeder_id FROM ami_known_meters known WHERE tenant_id = $1 AND known.meter_id = meter.meter_id)
       ) AS feeder_id FROM (SELECT DISTINCT meter_id FROM estimate) meter
     )
     INSERT INTO ami_vee_estimates (tenant_id, read_at, meter_id, run_id, feeder_id, minutes, kwh, method)
     SELECT $1, to_timestamp(at_s), meter_id, $2, feeder_id, minutes, kwh, method
     FROM estimate JOIN feeder USING (meter_id) WHERE feeder_id IS NOT NULL`,
    [
      run.tenantId,
      run.runId,
      textArray(estimates.map(({ meterId }) => meterId)),
      numberArray(estimates.map(({ at }) => at / 1000)),
      numberArray(estimates.map(({ minutes }) => minutes)),
      `{${estimates.map(({ kwh }) => kwh).join(',')}}`,
      textArray(estimates.map(({ method }) => method)),
      new Date(first - 8 * DAY),
      new Date(first + DAY),
    ],
  );
}
