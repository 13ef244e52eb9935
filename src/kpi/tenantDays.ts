import type { Queryable } from '../db/db.js';

/** A day of a tenant's zone. */
export interface TenantDay {
  /** ms of the UTC midnight of the same date: days that follow one another are 24 h apart. */
  day: number;
  /** ms of its start and of the next one's. */
  startsAt: number;
  endsAt: number;
}

export interface TenantDays {
  timeZone: string;
  /** In order; without days that the zone has left out. */
  days: TenantDay[];
}

/** A tenant's days from `daysBack` before the one of `from` to the last one before `to`, exclusive. */
export async function tenantDays(
  database: Queryable,
  tenantId: string,
  from: Date,
  to: Date,
  daysBack: number,
): Promise<TenantDays> {
  const { rows } = await database.query({
    name: 'tenant-days',
    rowMode: 'array',
    text: `WITH zone AS MATERIALIZED (
             SELECT max(clock) AS clock, coalesce(max(time_zone), 'UTC') AS time_zone
             FROM ami_tenant_zones WHERE tenant_id = $1
           ), days AS MATERIALIZED (
             SELECT (first_day + number) AS day FROM zone,
               LATERAL (SELECT ami_clock_day(clock, $2) - $4::integer AS first_day,
                          ami_clock_day(clock, $3::timestamptz - interval '1 ms') AS last_day) ends,
               generate_series(0, last_day - first_day) AS number
           )
           SELECT time_zone, extract(epoch FROM day)::double precision * 1000,
             extract(epoch FROM ami_clock_day_start(clock, day))::double precision * 1000,
             extract(epoch FROM ami_clock_day_start(clock, day + 1))::double precision * 1000
           FROM zone, days ORDER BY day`,
    values: [tenantId, from, to, daysBack],
  } as never);
  const found = rows as unknown as [timeZone: string, day: number, startsAt: number, endsAt: number][];
  return {
    timeZone: found[0]?.[0] ?? 'UTC',
    days: found
      .map(([, day, startsAt, endsAt]) => ({ day, startsAt, endsAt }))
      .filter(({ startsAt, endsAt }) => endsAt > startsAt),
  };
}

/** The day that an instant is of, among days in order. */
export function dayAt(days: readonly TenantDay[], at: number): TenantDay | undefined {
  let [from, to] = [0, days.length];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const day = days[middle] as TenantDay;
    if (at < day.startsAt) to = middle;
    else if (at >= day.endsAt) from = middle + 1;
    else return day;
  }
  return undefined;
}
