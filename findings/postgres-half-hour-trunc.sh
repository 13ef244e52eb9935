#!/usr/bin/env bash
# Postgres: date_trunc('hour', ...) in Lord Howe's zone answers a time that is no full hour.
#
# Guess:    date_trunc('hour', t) of a TIMESTAMPTZ ends in :00 on the session's clock, or at least is an hour's start
#           for all reads of one hour.
# Happens:  on 5 April 2026 Lord Howe's clocks go from 02:00 (+11:00) back to 01:30 (+10:30). The reads of the repeated
#           half hour are truncated to 01:30+11, half an hour before the change. Truncating the bucket's start again
#           gives 01:00+11, so truncating twice differs from truncating once. Luxon and Temporal put the same six reads
#           into one hour of 01:00+11.
# Version:  Postgres 18.7 as @electric-sql/pglite 0.5.17, luxon 3.7.2, temporal-polyfill 1.0.8.
# Matters:  hours that SQL cuts and hours that the application cuts do not join: one side has four in that night, the other three.
#           A bucket that says 01:30+11 also overlaps its neighbour of 01:00+11.
. "$(dirname "$0")/prelude.sh"

install @electric-sql/pglite@0.5.17 luxon@3.7.2 temporal-polyfill@1.0.8

program <<'END'
import { PGlite } from '@electric-sql/pglite';
import { DateTime } from 'luxon';
import { Temporal } from 'temporal-polyfill';

const zone = 'Australia/Lord_Howe';
const reads = Array.from({ length: 14 }, (_, n) => Date.parse('2026-04-04T13:00Z') + n * 900_000);

function report(name, hours) {
  const counts = new Map();
  for (const hour of hours) counts.set(hour, (counts.get(hour) ?? 0) + 1);
  console.log(`${name}: ${[...counts].map(([hour, count]) => `${hour} has ${count}`).join(', ')}`);
}

const postgres = new PGlite();
await postgres.query(`SET timezone = '${zone}'`);
async function truncated(expression, ms) {
  const { rows } = await postgres.query(`SELECT (${expression})::text AS hour`, [new Date(ms).toISOString()]);
  return rows[0].hour.slice(11);
}

const once = [];
const twice = [];
for (const ms of reads) {
  once.push(await truncated("date_trunc('hour', $1::timestamptz)", ms));
  twice.push(await truncated("date_trunc('hour', date_trunc('hour', $1::timestamptz))", ms));
}
report('Postgres, once', once);
report('Postgres, twice', twice);
report('Luxon', reads.map((ms) => DateTime.fromMillis(ms, { zone }).startOf('hour').toFormat('HH:mm:ssZZ')));
report('Temporal', reads.map((ms) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone)
  .round({ smallestUnit: 'hour', roundingMode: 'floor' }).toString().slice(11, 25)));
await postgres.close();
END

expect <<'END'
Postgres, once: 00:00:00+11 has 4, 01:00:00+11 has 4, 01:30:00+11 has 2, 02:00:00+10:30 has 4
Postgres, twice: 00:00:00+11 has 4, 01:00:00+11 has 6, 02:00:00+10:30 has 4
Luxon: 00:00:00+11:00 has 4, 01:00:00+11:00 has 6, 02:00:00+10:30 has 4
Temporal: 00:00:00+11:00 has 4, 01:00:00+11:00 has 6, 02:00:00+10:30 has 4
END
