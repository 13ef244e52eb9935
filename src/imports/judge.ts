import type { Queryable } from '../db/db.js';
import type { LocalZone } from '../intervalFiles/time/localZone.js';
import { judgedReads } from '../schema/functions/judgedReads.js';
import type { ReadsMapping } from '../schema/mapping.js';

/** What would become of a meter's reads of a local day. */
export interface JudgedDay {
  meterId: string;
  day: string;
  written: number;
  replaced: number;
  unchanged: number;
  refused: number;
}

export interface Judgement {
  written: number;
  replaced: number;
  unchanged: number;
  refused: number;
  /** Why reads would be left, with how many. */
  reasons: { reason: string; reads: number }[];
  /** The first days, by meter and day; `days` is how many there are. */
  byDay: JudgedDay[];
  days: number;
}

/** As many days as the plan tells. */
const DAYS_TOLD = 20_000;
const REASONS_TOLD = 20;

/** What the workers would do with the reads in `ami_file_reads` now, by the same rules. Nothing is written. */
export async function judge(
  client: Queryable,
  reads: ReadsMapping,
  tenantId: string,
  overEmulated: boolean,
  span: { first: Date | null; last: Date | null },
  zone: LocalZone,
): Promise<Judgement> {
  await client.query(
    'CREATE TEMPORARY TABLE ami_file_verdicts (meter_id text COLLATE "C", read_at timestamptz, verdict text) ON COMMIT DROP',
  );
  const judged = judgedReads({
    reads,
    incoming: '(SELECT * FROM ami_file_reads WHERE problem IS NULL)',
    tenant: '$1::text',
    acceptedAt: 'now()',
    overEmulated: '$2::boolean',
    first: '$3::timestamptz',
    last: '$4::timestamptz',
  });
  await client.query(
    `INSERT INTO ami_file_verdicts SELECT meter_id, read_at, verdict FROM (${judged}) judged`,
    [tenantId, overEmulated, span.first, span.last],
  );
  const counts = `count(*) FILTER (WHERE verdict = 'new')::double precision AS written,
    count(*) FILTER (WHERE verdict = 'replaces')::double precision AS replaced,
    count(*) FILTER (WHERE verdict = 'same')::double precision AS unchanged,
    count(*) FILTER (WHERE verdict NOT IN ('new', 'replaces', 'same'))::double precision AS refused`;
  const total = await client.query<Omit<Judgement, 'reasons' | 'byDay' | 'days'>>(
    `SELECT ${counts} FROM ami_file_verdicts`,
  );
  const reasons = await client.query<{ reason: string; reads: number }>(
    `SELECT verdict AS reason, count(*)::double precision AS reads FROM ami_file_verdicts
     WHERE verdict NOT IN ('new', 'replaces', 'same') GROUP BY 1 ORDER BY 2 DESC LIMIT ${REASONS_TOLD}`,
  );
  // Postgres reads the sign of a zone that is an offset the other way round, and that of an interval as everybody does.
  const kind = /^[+-]/.test(zone.name) ? 'interval' : 'text';
  const day = `to_char(read_at AT TIME ZONE $1::${kind}, 'YYYY-MM-DD')`;
  const byDay = await client.query<JudgedDay>(
    `SELECT meter_id AS "meterId", ${day} AS day, ${counts} FROM ami_file_verdicts GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ${DAYS_TOLD}`,
    [zone.name],
  );
  const days = await client.query<{ days: number }>(
    `SELECT count(*)::double precision AS days FROM (SELECT DISTINCT meter_id, ${day} FROM ami_file_verdicts) days`,
    [zone.name],
  );
  return {
    ...(total.rows[0] as (typeof total.rows)[number]),
    reasons: reasons.rows,
    byDay: byDay.rows,
    days: days.rows[0]?.days ?? 0,
  };
}
