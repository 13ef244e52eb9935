#!/usr/bin/env bash
# hyparquet-writer: 5 and 5n are different energies in a DECIMAL column.
#
# Guess:    a whole number is the same value as a number and as a bigint, as it is in an INT64 column.
# Happens:  in a column with the converted type DECIMAL a number is the value, and is multiplied by the scale; a bigint is
#           taken as already multiplied. In DECIMAL(9, 4) 5 is 5.0000, and 5n is 0.0005.
# Version:  hyparquet-writer 0.17.0, @duckdb/node-api 1.5.6-r.1.
# Matters:  sums of kWh in Postgres come as bigint where they are whole and counted in Wh, and as numbers elsewhere: one
#           column with both is right in some rows and ten-thousandfold off in others.
. "$(dirname "$0")/prelude.sh"

install hyparquet-writer@0.17.0 @duckdb/node-api@1.5.6-r.1

program <<'END'
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetWriteBuffer } from 'hyparquet-writer';

const schema = [
  { name: 'root', num_children: 1 },
  { name: 'kwh', type: 'INT32', repetition_type: 'REQUIRED', converted_type: 'DECIMAL', precision: 9, scale: 4 },
];
const columnData = [{ name: 'kwh', data: [5, 5n, 0.25, 2500n] }];
writeFileSync('kwh.parquet', Buffer.from(parquetWriteBuffer({ columnData, schema })));
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const rows = await connection.runAndReadAll(`SELECT typeof(kwh) AS type, kwh::VARCHAR AS kwh FROM 'kwh.parquet'`);
for (const { type, kwh } of rows.getRowObjectsJson()) console.log(`${type} ${kwh}`);
END

expect <<'END'
DECIMAL(9,4) 5.0000
DECIMAL(9,4) 0.0005
DECIMAL(9,4) 0.2500
DECIMAL(9,4) 0.2500
END
