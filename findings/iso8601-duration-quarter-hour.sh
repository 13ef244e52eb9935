#!/usr/bin/env bash
# iso8601-duration: 15 minutes after the last quarter hour before the clock goes back are 75 minutes, or -45.
#
# Guess:    PT15M is 15 elapsed minutes wherever the program runs; P1D is a local day, so that with a start its
#           seconds are 90,000 on the day of change; and the -PT15M of XML's duration goes back, or is refused.
# Happens:  hours and minutes are added to the clock of the process's zone, and the sum is read as a local time. At the
#           repeated hour in New York that leaves an hour out, or goes back into the first pass; in spring PT2H is one
#           hour. In UTC all is right. toSeconds says 900, 7,200 and 86,400 all the same, also when it is given the start,
#           and the minus of -PT15M is dropped.
# Version:  iso8601-duration 2.1.4.
# Matters:  OpenADR events, ENTSO-E series and CIM profiles give a start and such a duration. A day walked in steps of
#           PT15M has 96 of its 100 quarter hours, and two hours of load control last three in autumn, one in spring.
. "$(dirname "$0")/prelude.sh"

install iso8601-duration@2.1.4

program <<'END'
import { end, parse, toSeconds } from 'iso8601-duration';

for (const zone of ['UTC', 'America/New_York']) {
  process.env.TZ = zone;
  console.log(`process in ${zone}`);
  for (const [duration, start] of [
    ['PT15M', '2026-11-01T05:45Z'],
    ['PT15M', '2026-11-01T06:30Z'],
    ['PT2H', '2026-11-01T05:00Z'],
    ['PT2H', '2026-03-08T06:00Z'],
    ['P1D', '2026-11-01T04:00Z'],
    ['-PT15M', '2026-07-01T12:00Z'],
  ]) {
    const from = new Date(start);
    const parsed = parse(duration);
    const minutes = (end(parsed, from) - from) / 60_000;
    console.log(`  ${duration} from ${start}: ${minutes} minutes, toSeconds ${toSeconds(parsed, from)}`);
  }
}
END

expect <<'END'
process in UTC
  PT15M from 2026-11-01T05:45Z: 15 minutes, toSeconds 900
  PT15M from 2026-11-01T06:30Z: 15 minutes, toSeconds 900
  PT2H from 2026-11-01T05:00Z: 120 minutes, toSeconds 7200
  PT2H from 2026-03-08T06:00Z: 120 minutes, toSeconds 7200
  P1D from 2026-11-01T04:00Z: 1440 minutes, toSeconds 86400
  -PT15M from 2026-07-01T12:00Z: 15 minutes, toSeconds 900
process in America/New_York
  PT15M from 2026-11-01T05:45Z: 75 minutes, toSeconds 900
  PT15M from 2026-11-01T06:30Z: -45 minutes, toSeconds 900
  PT2H from 2026-11-01T05:00Z: 180 minutes, toSeconds 7200
  PT2H from 2026-03-08T06:00Z: 60 minutes, toSeconds 7200
  P1D from 2026-11-01T04:00Z: 1500 minutes, toSeconds 86400
  -PT15M from 2026-07-01T12:00Z: 15 minutes, toSeconds 900
END
