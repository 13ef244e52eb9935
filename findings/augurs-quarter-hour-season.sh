#!/usr/bin/env bash
# @bsull/augurs: the season it finds in quarter-hour loads is not the day, though the loads repeat each day to the last bit.
#
# Guess:    seasonalities() of loads that are the same each day answers 96 quarter hours, for two weeks as for eight, and
#           for hourly sums of them 24.
# Happens:  it answers 85, 102 or 93 quarter hours, by the length of the series, which is 21 to 26 hours. Of hourly sums it
#           answers 21, 25 or 23, and 24 only for eight weeks. With one reading missing (NaN) it finds no season at all.
# Version:  @bsull/augurs 0.10.2.
# Matters:  what is given on to MSTL as a season of 93 slides by three quarter hours each day, so that the evening peak is
#           taken for noise or for an anomaly after a week. A meter's season is known: 96, and 672 for the week.
. "$(dirname "$0")/prelude.sh"

install @bsull/augurs@0.10.2

program <<'END'
import { readFileSync } from 'node:fs';
import { initSync, seasonalities } from '@bsull/augurs/seasons';

initSync({ module: readFileSync('node_modules/@bsull/augurs/seasons_bg.wasm') });

// A night, a morning that rises, an evening peak: kWh of a quarter hour, the same each day.
const day = Array.from({ length: 96 }, (_, quarter) => (quarter >= 68 && quarter < 84 ? 0.6 : quarter >= 24 ? 0.3 : 0.1));
const days = (count) => Array.from({ length: count }, () => day).flat();
const hourly = (quarters) => quarters.filter((_, index) => index % 4 === 0).map((_, hour) =>
  quarters.slice(4 * hour, 4 * hour + 4).reduce((sum, kwh) => sum + kwh, 0));
const found = (loads) => [...seasonalities(Float64Array.from(loads))].join(', ') || 'none';

for (const weeks of [1, 2, 4, 8])
  console.log(`${weeks} weeks: of quarter hours ${found(days(7 * weeks))}, of hours ${found(hourly(days(7 * weeks)))}`);
console.log(`4 weeks with one reading missing: ${found(days(28).map((kwh, index) => (index === 500 ? Number.NaN : kwh)))}`);
END

expect <<'END'
1 weeks: of quarter hours 85, of hours 21
2 weeks: of quarter hours 102, of hours 25
4 weeks: of quarter hours 93, of hours 23
8 weeks: of quarter hours 93, of hours 24
4 weeks with one reading missing: none
END
