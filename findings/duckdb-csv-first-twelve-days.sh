#!/usr/bin/env bash
# DuckDB: an export of the first twelve days of a month is read as the third day of twelve months.
#
# Guess:    dates as 03/01/2026 stay text, or are read as the United States write them, or an ambiguous file is refused.
# Happens:  while no day is above 12, read_csv takes the column as DATE with the day first: 1 to 12 March become the
#           third of January to the third of December. One more line, 03/13/2026, turns the whole file into March.
#           `dateformat = '%m/%d/%Y'` is right for both.
# Version:  @duckdb/node-api 1.5.6-r.1.
# Matters:  an export from day 1 to day 12 passes every check on types and row counts. The reads then stand in months
#           that may be past retention or in the future, and the next day's export of the same month contradicts them.
. "$(dirname "$0")/prelude.sh"

install @duckdb/node-api@1.5.6-r.1

program <<'END'
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create(':memory:')).connect();

function writeExport(days) {
  const lines = Array.from({ length: days }, (_, n) => `M1,03/${String(n + 1).padStart(2, '0')}/2026,${n + 1}.5`);
  writeFileSync(`${days}.csv`, ['meter,date,kwh', ...lines, ''].join('\n'));
}

async function report(days, options) {
  const rows = await connection.runAndReadAll(
    `SELECT any_value(typeof(date)) AS type, min(date)::VARCHAR AS first, max(date)::VARCHAR AS last,
            count(DISTINCT month(date))::INT AS in_months FROM read_csv('${days}.csv'${options})`,
  );
  const { type, first, last, in_months } = rows.getRowObjectsJson()[0];
  console.log(`${days} days${options}: ${type} ${first} to ${last}, months: ${in_months}`);
}

for (const days of [12, 13]) {
  writeExport(days);
  await report(days, '');
  await report(days, ", dateformat = '%m/%d/%Y'");
}
END

expect <<'END'
12 days: DATE 2026-01-03 to 2026-12-03, months: 12
12 days, dateformat = '%m/%d/%Y': DATE 2026-03-01 to 2026-03-12, months: 1
13 days: DATE 2026-03-01 to 2026-03-13, months: 1
13 days, dateformat = '%m/%d/%Y': DATE 2026-03-01 to 2026-03-13, months: 1
END
