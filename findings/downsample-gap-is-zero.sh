#!/usr/bin/env bash
# downsample: a gap in a load curve is a load of 0 to its smoothing.
#
# Guess:    a reading that is missing (null) is left out of a moving average, or makes it null.
# Happens:  SMA and ASAP count null as 0. Beside a gap of four hours the average of two hours falls evenly, within the gap
#           it is 0. No point says that nothing was heard.
# Version:  downsample 1.4.0.
# Matters:  a comms outage is drawn as a feeder without load, and the hours before it as a load that falls: it looks like
#           a power outage, or like theft. Gaps have to be cut out before the call, each piece reduced alone.
. "$(dirname "$0")/prelude.sh"

install downsample@1.4.0

program <<'END'
import downsample from 'downsample';

const { ASAP, SMA } = downsample;
// 2 kWh each quarter hour of a day, and nothing heard from 10:00 to 14:00.
const day = Array.from({ length: 96 }, (_, quarter) => [quarter * 900_000, quarter >= 40 && quarter < 56 ? null : 2]);
const valuesOf = (points) => points.map((point) => (Array.isArray(point) ? point[1] : point.y));
const smooth = valuesOf(SMA(day, 8));
console.log(`SMA over two hours, from 08:00: ${smooth.slice(32, 52).join(' ')}`);
console.log(`SMA has null or NaN: ${smooth.some((value) => value === null || Number.isNaN(value))}`);
const asap = valuesOf(ASAP(day, 24));
console.log(`ASAP of the day: ${asap.map((value) => +value.toFixed(3)).join(' ')}`);
END

expect <<'END'
SMA over two hours, from 08:00: 2 1.75 1.5 1.25 1 0.75 0.5 0.25 0 0 0 0 0 0 0 0 0 0.25 0.5 0.75
SMA has null or NaN: false
ASAP of the day: 2 2 2 2 2 2 2 2 2 1 0 0 0 1 2 2 2 2 2 2 2 2 2
END
