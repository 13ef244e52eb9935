#!/usr/bin/env bash
# @loaders.gl/parquet: whether a number arrives as a number or as a text depends on how many values its column has.
#
# Guess:    an INTEGER, BIGINT or DOUBLE column of a Parquet file arrives as numbers, a VARCHAR as text, a DECIMAL(9,4)
#           of 0.125 as 0.125, whatever the file's encoding.
# Happens:  a column that the writer put into a dictionary, as it does where values repeat, arrives as texts, of any of
#           these types: '500' Wh. The same table with values that seldom repeat has numbers there, and its meter ids are
#           Buffers. A column of a VARCHAR is therefore text for 4 meters and Buffers for 4,000. A DECIMAL is a number in
#           both, made by a product with 10^-4: 0.125 becomes 0.12499999999999999.
# Version:  @loaders.gl/parquet 4.5.2 and @loaders.gl/core 4.5.2, written by DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1).
# Matters:  a program that was tried with a sample of a few meters adds texts ('0500...') or finds no meter by its id
#           when it meets the whole fleet, or the other way round; and a sum of reads is not that of the file.
. "$(dirname "$0")/prelude.sh"

install @loaders.gl/parquet@4.5.2 @loaders.gl/core@4.5.2 @duckdb/node-api@1.5.6-r.1

program <<'END'
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { DuckDBInstance } from '@duckdb/node-api';

// It says on loading that an optional library is not there.
console.warn = () => undefined;
const log = console.log;
console.log = (line) => String(line).startsWith('loaders.gl:') || log(line);
const require = createRequire(import.meta.url);
const { load } = require('@loaders.gl/core');
const { ParquetLoader } = require('@loaders.gl/parquet');

const database = await (await DuckDBInstance.create(':memory:')).connect();
for (const meters of [4, 4000]) {
  await database.run(`COPY (
      SELECT 'M' || (i % ${meters}) AS meter, ((i % ${meters}) * 500)::BIGINT AS wh, ((i % ${meters}) / 8.0)::DOUBLE AS kw,
             ((i % ${meters}) / 8.0)::DECIMAL(9,4) AS kwh, (230 + i % 2)::INTEGER AS volts
      FROM range(4000) reads(i)
    ) TO '${meters}.parquet' (FORMAT PARQUET)`);
  const { buffer, byteOffset, length } = readFileSync(`${meters}.parquet`);
  const { data } = await load(buffer.slice(byteOffset, byteOffset + length), ParquetLoader, { core: { worker: false } });
  const { meter, wh, kw, kwh, volts } = data[1];
  const shown = (value) => (Buffer.isBuffer(value) ? `Buffer of ${value}` : JSON.stringify(value));
  log(`${meters} meters: meter ${shown(meter)}, wh ${shown(wh)}, kw ${shown(kw)}, kwh ${shown(kwh)}, volts ${shown(volts)}`);
  log(`  wh of the first four rows, added: ${shown(data.slice(0, 4).reduce((sum, row) => sum + row.wh, 0))}`);
  log(`  rows found by the id M1: ${data.filter((row) => row.meter === 'M1').length}`);
}
END

expect <<'END'
4 meters: meter "M1", wh "500", kw "0.125", kwh 0.12499999999999999, volts "231"
  wh of the first four rows, added: "0050010001500"
  rows found by the id M1: 1000
4000 meters: meter Buffer of M1, wh 500, kw 0.125, kwh 0.12499999999999999, volts "231"
  wh of the first four rows, added: 3000
  rows found by the id M1: 0
END
