#!/usr/bin/env bash
# apache-arrow: a DECIMAL of 1.2345 kWh is 12345 as a text, as a number and in JSON.
#
# Guess:    the value of a DECIMAL(9,4) column knows its scale: Number(value) is 1.2345, String(value) is "1.2345".
# Happens:  the value is the unscaled integer. The scale stands at the column's type only, and nothing applies it;
#           JSON adds a second pair of quotation marks to it. Number(value) / 10 ** type.scale is right.
# Version:  apache-arrow 21.2.0, parquet-wasm 0.8.0 as its reader, @duckdb/node-api 1.5.6-r.1 as the file's writer.
# Matters:  DECIMAL looks like the exact choice for kWh in a file. A chart that JavaScript draws from that file is
#           10,000 times too high.
. "$(dirname "$0")/prelude.sh"

install apache-arrow@21.2.0 parquet-wasm@0.8.0 @duckdb/node-api@1.5.6-r.1

program <<'END'
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';

const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run("COPY (SELECT 1.2345::DECIMAL(9,4) AS kwh) TO 'reads.parquet' (FORMAT parquet)");

const column = tableFromIPC(readParquet(readFileSync('reads.parquet')).intoIPCStream()).getChild('kwh');
const value = column.get(0);
console.log(`type ${column.type}, scale ${column.type.scale}`);
console.log(`String ${String(value)}`);
console.log(`Number ${Number(value)}`);
console.log(`JSON ${JSON.stringify({ kwh: value })}`);
console.log(`scaled by hand ${Number(value) / 10 ** column.type.scale}`);
END

expect <<'END'
type Decimal[9e+4], scale 4
String 12345
Number 12345
JSON {"kwh":"\"12345\""}
scaled by hand 1.2345
END
