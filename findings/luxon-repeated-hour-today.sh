#!/usr/bin/env bash
# Luxon: which of two instants a repeated local time means depends on the day on which the program runs.
#
# Guess:    a library always takes the earlier pass of a repeated hour, or always the later one, so importing the same
#           file twice gives the same instants.
# Happens:  Luxon takes the offset that the zone has *now*. In winter, 01:30 of New York's 1 November is the second pass,
#           in summer the first; in Lord Howe likewise, with the seasons swapped. Temporal and moment-timezone take
#           the first pass in both places, Postgres and DuckDB the second.
# Version:  luxon 3.7.2, temporal-polyfill 1.0.8, moment-timezone 0.6.6, @electric-sql/pglite 0.5.17 (Postgres 18.7),
#           @duckdb/node-api 1.5.6-r.1.
# Matters:  utility exports carry local times without an offset. A file that is read again in July lands an hour away
#           from where it landed in January, as other reads by the key of meter and instant.
. "$(dirname "$0")/prelude.sh"

install luxon@3.7.2 temporal-polyfill@1.0.8 moment-timezone@0.6.6 @electric-sql/pglite@0.5.17 @duckdb/node-api@1.5.6-r.1

program <<'END'
import { DuckDBInstance } from '@duckdb/node-api';
import { PGlite } from '@electric-sql/pglite';
import { DateTime, Settings } from 'luxon';
import moment from 'moment-timezone';
import { Temporal } from 'temporal-polyfill';

const postgres = new PGlite();
const duckdb = await (await DuckDBInstance.create(':memory:')).connect();

function luxonAsOf(today, local, zone) {
  Settings.now = () => Date.parse(today);
  return DateTime.fromISO(local, { zone }).toMillis();
}

async function seen(local, zone) {
  const { rows } = await postgres.query(
    'SELECT extract(epoch FROM ($1::timestamp AT TIME ZONE $2))::float8 AS seconds', [local, zone]);
  const duck = await duckdb.runAndReadAll(`SELECT epoch_ms(TIMESTAMP '${local}' AT TIME ZONE '${zone}') AS ms`);
  return {
    'Luxon in January': luxonAsOf('2026-01-15T12:00Z', local, zone),
    'Luxon in July': luxonAsOf('2026-07-15T12:00Z', local, zone),
    Temporal: Temporal.PlainDateTime.from(local).toZonedDateTime(zone).epochMilliseconds,
    'moment-timezone': moment.tz(local, zone).valueOf(),
    Postgres: rows[0].seconds * 1000,
    DuckDB: Number(duck.getRowObjects()[0].ms),
  };
}

for (const [zone, local] of [
  ['America/New_York', '2026-11-01T01:30:00'],
  ['Australia/Lord_Howe', '2026-04-05T01:45:00'],
]) {
  console.log(`${local} in ${zone}`);
  for (const [name, ms] of Object.entries(await seen(local, zone)))
    console.log(`  ${name}: ${new Date(ms).toISOString().slice(0, 16)}Z`);
}
await postgres.close();
END

expect <<'END'
2026-11-01T01:30:00 in America/New_York
  Luxon in January: 2026-11-01T06:30Z
  Luxon in July: 2026-11-01T05:30Z
  Temporal: 2026-11-01T05:30Z
  moment-timezone: 2026-11-01T05:30Z
  Postgres: 2026-11-01T06:30Z
  DuckDB: 2026-11-01T06:30Z
2026-04-05T01:45:00 in Australia/Lord_Howe
  Luxon in January: 2026-04-04T14:45Z
  Luxon in July: 2026-04-04T15:15Z
  Temporal: 2026-04-04T14:45Z
  moment-timezone: 2026-04-04T14:45Z
  Postgres: 2026-04-04T15:15Z
  DuckDB: 2026-04-04T15:15Z
END
