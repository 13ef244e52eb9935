#!/usr/bin/env bash
# DuckDB: a Parquet DECIMAL that has the logical type alone is bytes.
#
# Guess:    the logical type of Parquet 2.4 took the place of the converted type: a reader that knows the one needs not
#           the other, and 1.2345 kWh in DECIMAL(38, 4) is 1.2345 in every reader.
# Happens:  DuckDB gives a BLOB of 16 bytes for a FIXED_LEN_BYTE_ARRAY with the logical type DECIMAL alone, and
#           DECIMAL(38,4) once the older converted type stands beside it. The Parquet crate behind parquet-wasm reads both
#           as decimals.
# Version:  @duckdb/node-api 1.5.6-r.1, hyparquet-writer 0.17.0, parquet-wasm 0.8.0, apache-arrow 21.2.0.
# Matters:  a column of energy arrives in the warehouse as bytes, without an error, until somebody sums it.
. "$(dirname "$0")/prelude.sh"

install @duckdb/node-api@1.5.6-r.1 hyparquet-writer@0.17.0 parquet-wasm@0.8.0 apache-arrow@21.2.0

program <<'END'
import { readFileSync, writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { readParquet } from 'parquet-wasm';

const bytes = new Uint8Array(16);
new DataView(bytes.buffer).setBigInt64(8, 12345n);
const decimal = { precision: 38, scale: 4 };
const newer = { logical_type: { type: 'DECIMAL', ...decimal }, ...decimal };
// The writer wants bytes where it knows the newer mark alone, and the unscaled number where it has the older one.
const files = { newer: [newer, bytes], both: [{ ...newer, converted_type: 'DECIMAL' }, 12345n] };

const connection = await (await DuckDBInstance.create(':memory:')).connect();
for (const [name, [mark, value]] of Object.entries(files)) {
  const column = { name: 'kwh', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, repetition_type: 'REQUIRED', ...mark };
  const schema = [{ name: 'root', num_children: 1 }, column];
  const columnData = [{ name: 'kwh', data: [value] }];
  writeFileSync(`${name}.parquet`, Buffer.from(parquetWriteBuffer({ columnData, schema })));
  const rows = await connection.runAndReadAll(`SELECT typeof(kwh) AS type FROM '${name}.parquet'`);
  const table = tableFromIPC(readParquet(readFileSync(`${name}.parquet`)).intoIPCStream());
  console.log(`${name}: DuckDB ${rows.getRowObjectsJson()[0].type}, Arrow ${table.schema.fields[0].type}`);
}
END

expect <<'END'
newer: DuckDB BLOB, Arrow Decimal[38e+4]
both: DuckDB DECIMAL(38,4), Arrow Decimal[38e+4]
END
