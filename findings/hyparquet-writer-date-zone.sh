#!/usr/bin/env bash
# hyparquet-writer: a JavaScript Date in a Parquet file is an instant to Arrow and a local time to DuckDB.
#
# Guess:    a Date is an instant, and a Parquet file that holds one gives every reader the same instant.
# Happens:  the column gets the old annotation TIMESTAMP_MILLIS and no logical type. The Parquet crate behind
#           parquet-wasm reads it as a timestamp in UTC. DuckDB reads it as TIMESTAMP without a zone, and makes an
#           instant of it by the session's zone: five hours off in New York. With a schema of one's own, in which
#           the logical type says isAdjustedToUTC, DuckDB has the instant too.
# Version:  hyparquet-writer 0.17.0, @duckdb/node-api 1.5.6-r.1, parquet-wasm 0.8.0, apache-arrow 21.2.0.
# Matters:  a warehouse that loads such a file into TIMESTAMPTZ moves every read by the zone's offset. No type
#           error and no null shows it.
. "$(dirname "$0")/prelude.sh"

install hyparquet-writer@0.17.0 @duckdb/node-api@1.5.6-r.1 parquet-wasm@0.8.0 apache-arrow@21.2.0

program <<'END'
import { readFileSync, writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { readParquet } from 'parquet-wasm';

const columnData = [{ name: 'read_at', data: [new Date('2026-03-07T05:00:00Z')] }];
const schema = [
  { name: 'root', num_children: 1 },
  {
    name: 'read_at',
    type: 'INT64',
    repetition_type: 'REQUIRED',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
];
writeFileSync('plain.parquet', Buffer.from(parquetWriteBuffer({ columnData })));
writeFileSync('logical.parquet', Buffer.from(parquetWriteBuffer({ columnData, schema })));

const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run("SET timezone = 'America/New_York'");
for (const name of ['plain', 'logical']) {
  const rows = await connection.runAndReadAll(
    `SELECT typeof(read_at) AS type, epoch_ms(read_at::TIMESTAMPTZ)::DOUBLE AS ms FROM '${name}.parquet'`);
  const { type, ms } = rows.getRowObjects()[0];
  console.log(`${name}, DuckDB: ${type}, ${new Date(ms).toISOString()}`);
  const table = tableFromIPC(readParquet(readFileSync(`${name}.parquet`)).intoIPCStream());
  const { type: arrowType } = table.schema.fields[0];
  console.log(`${name}, Arrow: ${arrowType}, ${new Date(table.getChild('read_at').get(0)).toISOString()}`);
}
END

expect <<'END'
plain, DuckDB: TIMESTAMP, 2026-03-07T10:00:00.000Z
plain, Arrow: Timestamp<MILLISECOND, UTC>, 2026-03-07T05:00:00.000Z
logical, DuckDB: TIMESTAMP WITH TIME ZONE, 2026-03-07T05:00:00.000Z
logical, Arrow: Timestamp<MILLISECOND, UTC>, 2026-03-07T05:00:00.000Z
END
