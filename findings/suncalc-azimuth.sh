#!/usr/bin/env bash
# suncalc: the azimuth of a roof's sun is counted from south in radians, or from north in degrees, by the release.
#
# Guess:    suncalc's getPosition gives radians, with an azimuth of 0 at south and negative in the morning, and so do the
#           packages that carry its name.
# Happens:  suncalc 1.9 and suncalc2 do. suncalc 2.0 gives degrees clockwise from north under the same two names, and its
#           altitude has refraction in it: at 21:00 the sun is still up for it, and down for the others. suncalc3 gives
#           radians from north, without refraction. No call fails: cosine and sine take degrees for radians.
# Version:  suncalc 2.0.2 and 1.9.0, suncalc2 1.8.1, suncalc3 2.0.5.
# Matters:  the angle between sun and panel decides what a roof is expected to give. With suncalc 2.0 in a formula for
#           1.9, a west roof in Toronto gets sun at 09:00 and none at 17:00; with suncalc3 it gets most in the morning.
. "$(dirname "$0")/prelude.sh"

install suncalc@2.0.2 first@npm:suncalc@1.9.0 suncalc2@1.8.1 suncalc3@2.0.5

program <<'END'
import first from 'first';
import * as second from 'suncalc';
import fork2 from 'suncalc2';
import fork3 from 'suncalc3';

const [latitude, longitude] = [43.65, -79.38];
const [west, tilt] = [Math.PI / 2, Math.PI / 6];

// The cosine of the angle between the sun and a roof, as suncalc 1.9 counts: radians, from south, west positive.
function cosineOnWestRoof({ altitude, azimuth }) {
  return Math.sin(altitude) * Math.cos(tilt) + Math.cos(altitude) * Math.sin(tilt) * Math.cos(azimuth - west);
}

const packages = { 'suncalc 1.9.0': first, 'suncalc 2.0.2': second, 'suncalc2 1.8.1': fork2, 'suncalc3 2.0.5': fork3 };
for (const [clock, instant] of [
  ['09:00', '2026-06-21T13:00Z'],
  ['17:00', '2026-06-21T21:00Z'],
  ['21:00', '2026-06-22T01:00Z'],
]) {
  console.log(`21 June, ${clock} in Toronto`);
  for (const [name, { getPosition }] of Object.entries(packages)) {
    const sun = getPosition(new Date(instant), latitude, longitude);
    console.log(`  ${name}: azimuth ${sun.azimuth.toFixed(2)}, altitude ${sun.altitude.toFixed(3)}, ` +
      `on a west roof ${cosineOnWestRoof(sun).toFixed(2)}`);
  }
}
END

expect <<'END'
21 June, 09:00 in Toronto
  suncalc 1.9.0: azimuth -1.59, altitude 0.590, on a west roof 0.07
  suncalc 2.0.2: azimuth 88.72, altitude 33.858, on a west roof 0.30
  suncalc2 1.8.1: azimuth -1.59, altitude 0.590, on a west roof 0.07
  suncalc3 2.0.5: azimuth 1.55, altitude 0.590, on a west roof 0.90
21 June, 17:00 in Toronto
  suncalc 1.9.0: azimuth 1.47, altitude 0.713, on a west roof 0.94
  suncalc 2.0.2: azimuth 264.37, altitude 40.863, on a west roof -0.25
  suncalc2 1.8.1: azimuth 1.47, altitude 0.713, on a west roof 0.94
  suncalc3 2.0.5: azimuth 4.61, altitude 0.713, on a west roof 0.19
21 June, 21:00 in Toronto
  suncalc 1.9.0: azimuth 2.16, altitude -0.007, on a west roof 0.41
  suncalc 2.0.2: azimuth 303.83, altitude 0.060, on a west roof 0.44
  suncalc2 1.8.1: azimuth 2.16, altitude -0.007, on a west roof 0.41
  suncalc3 2.0.5: azimuth 5.30, altitude -0.007, on a west roof -0.42
END
