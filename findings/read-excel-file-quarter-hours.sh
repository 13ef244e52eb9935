#!/usr/bin/env bash
# read-excel-file: every third quarter hour of a sheet is a millisecond early, and so belongs to the interval before.
#
# Guess:    a time that a sheet holds as the number of its day and quarter hour is read as that quarter hour, to the
#           millisecond, since a double tells times of today to a microsecond.
# Happens:  960 of the 2,880 quarter hours of thirty days end in 59.999 seconds: the product with a day's milliseconds is
#           cut, not rounded. exceljs reads all of the same file as they are.
# Version:  read-excel-file 9.3.17; the file is written by exceljs 4.4.0, with the digits that Excel writes.
# Matters:  who takes the interval of a read by rounding down, as date_trunc and date_bin do, has 960 intervals with two
#           reads and 960 with none; a check for "exactly on the quarter hour" refuses a third of a good file.
. "$(dirname "$0")/prelude.sh"

install read-excel-file@9.3.17 exceljs@4.4.0

program <<'END'
import ExcelJS from 'exceljs';
import readFile from 'read-excel-file/node';

const quarterHour = 900_000;
const first = Date.UTC(2026, 0, 1);
const instants = Array.from({ length: 30 * 96 }, (_, index) => first + index * quarterHour);

const book = new ExcelJS.Workbook();
book.addWorksheet('reads').addRows(instants.map((at) => [new Date(at), 0.25]));
await book.xlsx.writeFile('reads.xlsx');

const again = new ExcelJS.Workbook();
await again.xlsx.readFile('reads.xlsx');
const byExcelJs = again.getWorksheet(1).getColumn(1).values.slice(1);
const [{ data }] = await readFile('reads.xlsx');
const byReadExcelFile = data.map(([at]) => at);

for (const [name, times] of Object.entries({ exceljs: byExcelJs, 'read-excel-file': byReadExcelFile })) {
  const off = times.filter((at, index) => at.getTime() !== instants[index]);
  const intervals = new Set(times.map((at) => Math.floor(at / quarterHour)));
  console.log(`${name}: ${times.length} times, ${off.length} off, ${intervals.size} intervals when rounded down`);
}
console.log(byReadExcelFile.slice(0, 7).map((at) => at.toISOString().slice(11, 23)).join(' '));
END

expect <<'END'
exceljs: 2880 times, 0 off, 2880 intervals when rounded down
read-excel-file: 2880 times, 960 off, 1920 intervals when rounded down
00:00:00.000 00:15:00.000 00:29:59.999 00:45:00.000 01:00:00.000 01:14:59.999 01:30:00.000
END
