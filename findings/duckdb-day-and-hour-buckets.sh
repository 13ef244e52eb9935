#!/usr/bin/env bash
# DuckDB: the function that cuts days rightly merges the repeated hour, and the one that keeps the hour cuts days at UTC.
#
# Guess:    with the session's zone set, date_trunc and time_bucket agree on whole hours and whole days of TIMESTAMPTZ.
# Happens:  for days, date_trunc follows the zone (100 quarter hours on 1 November), and time_bucket cuts at midnight
#           UTC, which is 19:00 or 20:00 in New York. For hours it is the other way round: date_trunc puts both passes
#           of 01:00 into one hour of eight quarter hours, and time_bucket keeps two hours of four. time_bucket with the
#           zone as its third argument is right for both.
# Version:  @duckdb/node-api 1.5.6-r.1.
# Matters:  a daily sum and an hourly peak made with the same function are not both right. The merged hour doubles the
#           demand of a night hour once per year.
. "$(dirname "$0")/prelude.sh"

install @duckdb/node-api@1.5.6-r.1

program <<'END'
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run("SET timezone = 'America/New_York'");

async function report(bucket, from, to) {
  const rows = await connection.runAndReadAll(
    `SELECT (${bucket})::VARCHAR AS start, count(*)::INT AS quarters
     FROM generate_series(TIMESTAMPTZ '${from}', TIMESTAMPTZ '${to}', INTERVAL 15 MINUTE) AS reads(t)
     GROUP BY 1 ORDER BY min(t)`,
  );
  console.log(bucket);
  for (const { start, quarters } of rows.getRowObjectsJson()) console.log(`  ${start}: ${quarters}`);
}

const day = ['2026-11-01 00:00:00-04', '2026-11-01 23:45:00-05'];
await report("date_trunc('day', t)", ...day);
await report('time_bucket(INTERVAL 1 DAY, t)', ...day);
await report("time_bucket(INTERVAL 1 DAY, t, 'America/New_York')", ...day);
const night = ['2026-11-01 00:00:00-04', '2026-11-01 02:45:00-05'];
await report("date_trunc('hour', t)", ...night);
await report('time_bucket(INTERVAL 1 HOUR, t)', ...night);
await report("time_bucket(INTERVAL 1 HOUR, t, 'America/New_York')", ...night);
END

expect <<'END'
date_trunc('day', t)
  2026-11-01 00:00:00-04: 100
time_bucket(INTERVAL 1 DAY, t)
  2026-10-31 20:00:00-04: 80
  2026-11-01 19:00:00-05: 20
time_bucket(INTERVAL 1 DAY, t, 'America/New_York')
  2026-11-01 00:00:00-04: 100
date_trunc('hour', t)
  2026-11-01 00:00:00-04: 4
  2026-11-01 01:00:00-05: 8
  2026-11-01 02:00:00-05: 4
time_bucket(INTERVAL 1 HOUR, t)
  2026-11-01 00:00:00-04: 4
  2026-11-01 01:00:00-04: 4
  2026-11-01 01:00:00-05: 4
  2026-11-01 02:00:00-05: 4
time_bucket(INTERVAL 1 HOUR, t, 'America/New_York')
  2026-11-01 00:00:00-04: 4
  2026-11-01 01:00:00-04: 4
  2026-11-01 01:00:00-05: 4
  2026-11-01 02:00:00-05: 4
END
