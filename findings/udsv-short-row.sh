#!/usr/bin/env bash
# udsv: a row with a field too few is joined with the row after it.
#
# Guess:    a short row is refused, or has an empty last field; the row after it is itself.
# Happens:  the short row takes the next row's first field, line end included, as its own, and the rest of the next row is
#           read as its last field: two rows become one. A row with a field too many keeps the rest of its line in its last.
# Version:  udsv 0.7.3.
# Matters:  one lost comma costs another meter's read as well, and no error says so: the count of rows alone is one less.
. "$(dirname "$0")/prelude.sh"

install udsv@0.7.3

program <<'END'
import { inferSchema, initParser } from 'udsv';

const rows = (text) => {
  const parser = initParser(inferSchema(text));
  return JSON.stringify(parser.stringArrs(text));
};
console.log(rows('meter,date,kwh\nA,2026-01-01\nB,2026-01-01,2\nC,2026-01-01,3\n'));
console.log(rows('meter,date,kwh\nA,2026-01-01,1,5\nB,2026-01-01,2\n'));
END

expect <<'END'
[["A","2026-01-01\nB","2026-01-01,2"],["C","2026-01-01","3"]]
[["A","2026-01-01","1,5"],["B","2026-01-01","2"]]
END
