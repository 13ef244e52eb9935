#!/usr/bin/env bash
# rrule-rust: "each 15 minutes" in Berlin's time has four instants twice in March, and lacks four in October.
#
# Guess:    FREQ=MINUTELY;INTERVAL=15 is each quarter hour that passes, in any zone: 92 from midnight to midnight on the
#           day that loses an hour, 100 on the day that gains one.
# Happens:  the rule counts wall-clock times. In March those from 02:00 to 02:45, which do not exist, become 03:00 to 03:45,
#           and the true ones come after them: time goes back, and 96 entries name 92 instants. In October 96 entries
#           leave out the second pass of the repeated hour. A rule with FREQ=HOURLY does the same.
# Version:  rrule-rust 3.1.1, with its binary for Linux.
# Matters:  a read job that follows such a rule reads four intervals twice and never asks for four others, and a week's
#           COUNT is right on both days, so that no check of the number finds it. Ticks have to be counted in UTC.
. "$(dirname "$0")/prelude.sh"

install rrule-rust@3.1.1

program <<'END'
import { createRequire } from 'node:module';
const { DateTime, DtStart, Frequency, RRule, RRuleSet } = createRequire(import.meta.url)('rrule-rust');

const two = (number) => String(number).padStart(2, '0');
const instantOf = ({ year, month, day, time, offset }) =>
  Date.UTC(year, month - 1, day, time.hour, time.minute) - offset * 1000;
for (const [frequency, name, interval, perDay] of [[Frequency.Minutely, 'quarter hours', 15, 96], [Frequency.Hourly, 'hours', 1, 24]]) {
  for (const [month, date] of [[3, 29], [10, 25]]) {
    const set = new RRuleSet({
      dtstart: new DtStart(DateTime.local(2026, month, date, 0, 0, 0), 'Europe/Berlin'),
      rrules: [new RRule({ frequency, interval, count: perDay })],
    });
    const all = set.all();
    const onDay = all.filter(({ day }) => day === date);
    const instants = onDay.map(instantOf);
    const forward = instants.every((instant, index) => index === 0 || instant > instants[index - 1]);
    console.log(`${name} of 2026-${two(month)}-${date}: ${onDay.length} entries, ${new Set(instants).size} instants, in order: ${forward}`);
    const night = onDay.filter(({ time }) => time.hour >= 2 && time.hour < 4);
    console.log(`  ${night.map(({ time, offset }) => `${two(time.hour)}:${two(time.minute)}+${offset / 3600}`).join(' ')}`);
  }
}
END

expect <<'END'
quarter hours of 2026-03-29: 96 entries, 92 instants, in order: false
  03:00+2 03:15+2 03:30+2 03:45+2 03:00+2 03:15+2 03:30+2 03:45+2
quarter hours of 2026-10-25: 96 entries, 96 instants, in order: true
  02:00+2 02:15+2 02:30+2 02:45+2 03:00+1 03:15+1 03:30+1 03:45+1
hours of 2026-03-29: 24 entries, 23 instants, in order: false
  03:00+2 03:00+2
hours of 2026-10-25: 24 entries, 24 instants, in order: true
  02:00+2 03:00+1
END
