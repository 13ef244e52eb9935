#!/usr/bin/env bash
# @dsnp/parquetjs: kWh as DECIMAL lose their last digit when written, and come back as other values when read.
#
# Guess:    a DECIMAL(9,4) column gives back what was put in, rounded to four places at worst.
# Happens:  the writer cuts instead of rounding, and multiplies binary fractions first: 0.0003 * 10,000 is just below 3,
#           so 0.0002 is stored. DuckDB sees that in 573 of the 10,000 values 0.0001 to 1.0000. The reader of the same
#           library is further off: at a precision of 9 every second value is 0, and the values between belong to
#           earlier rows. At a precision of 18 it reads what was stored.
# Version:  @dsnp/parquetjs 1.8.8, @duckdb/node-api 1.5.6-r.1 as the second reader.
# Matters:  a quarter hour's kWh has four places and fits nine digits, so DECIMAL(9,4) is the natural type. Energy is
#           lost in one direction only, and a round trip through the library itself moves reads to other intervals.
. "$(dirname "$0")/prelude.sh"

install @dsnp/parquetjs@1.8.8 @duckdb/node-api@1.5.6-r.1

program <<'END'
import { DuckDBInstance } from '@duckdb/node-api';
import parquet from '@dsnp/parquetjs';

const decimal = (precision) => ({ type: 'DECIMAL', precision, scale: 4 });
const schema = new parquet.ParquetSchema({ nine: decimal(9), eighteen: decimal(18) });
const writer = await parquet.ParquetWriter.openFile(schema, 'reads.parquet');
for (let n = 1; n <= 10_000; n++) await writer.appendRow({ nine: n / 10_000, eighteen: n / 10_000 });
await writer.close();

const connection = await (await DuckDBInstance.create(':memory:')).connect();
const rows = await connection.runAndReadAll(
  `SELECT count(*) FILTER (nine * 10000 <> n)::INT AS differing, count(*) FILTER (nine * 10000 > n)::INT AS higher,
          sum(nine)::VARCHAR AS total
   FROM (SELECT nine, row_number() OVER () AS n FROM 'reads.parquet')`);
const { differing, higher, total } = rows.getRowObjectsJson()[0];
console.log(`DuckDB: ${differing} of 10000 differ, ${higher} are higher, sum ${total} instead of 5000.5000`);

const reader = await parquet.ParquetReader.openFile('reads.parquet');
const cursor = reader.getCursor();
const back = [];
for (let n = 1; n <= 6; n++) back.push(await cursor.next());
await reader.close();
console.log('put in    0.0001 0.0002 0.0003 0.0004 0.0005 0.0006');
console.log(`nine      ${back.map((row) => row.nine.toFixed(4)).join(' ')}`);
console.log(`eighteen  ${back.map((row) => row.eighteen.toFixed(4)).join(' ')}`);
END

expect <<'END'
DuckDB: 573 of 10000 differ, 0 are higher, sum 5000.4427 instead of 5000.5000
put in    0.0001 0.0002 0.0003 0.0004 0.0005 0.0006
nine      0.0001 0.0000 0.0002 0.0000 0.0002 0.0000
eighteen  0.0001 0.0002 0.0002 0.0004 0.0005 0.0005
END
