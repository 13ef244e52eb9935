#!/usr/bin/env bash
# date-holidays: the public holidays of Ontario are not the holidays on which its electricity is off-peak.
#
# Guess:    type "public" for CA-ON gives the ten holidays of Ontario's time-of-use prices, and those that fall on a weekend
#           bring the weekday after, marked as substitute, as the library does it for the United States and England.
# Happens:  Easter Monday is "public", and an ordinary day to the prices. The Civic Holiday, which is off-peak, is
#           "optional", together with Remembrance Day, which is not. Nothing in Ontario was moved off a weekend: in
#           2022 two off-peak weekdays are missing for that alone, in 2026 one.
# Version:  date-holidays 3.37.0. The days compared with are those that Ontario's OEFC publishes for on- and off-peak
#           energy in 2022 and 2026; with "optional" in, other wrong days come in.
# Matters:  on each of these days the twelve hours from 07:00 to 19:00 get the wrong price, and so do estimates and
#           baselines that take a day for a holiday or not by the same question.
. "$(dirname "$0")/prelude.sh"

install date-holidays@3.37.0

program <<'END'
import Holidays from 'date-holidays';

const offPeak = {
  2022: '01-03 02-21 04-15 05-23 07-01 08-01 09-05 10-10 12-26 12-27'.split(' '),
  2026: '01-01 02-16 04-03 05-18 07-01 08-03 09-07 10-12 12-25 12-28'.split(' '),
};

const onWeekday = (day) => ![0, 6].includes(new Date(day).getUTCDay());

function weekdays(year, types, ...place) {
  return new Holidays(...place).getHolidays(year)
    .filter(({ type, date }) => types.includes(type) && onWeekday(date.slice(0, 10)))
    .map(({ date, name, substitute }) => ({ day: date.slice(5, 10), name, substitute: substitute ?? false }));
}

for (const [year, expected] of Object.entries(offPeak))
  for (const types of [['public'], ['public', 'optional']]) {
    const found = weekdays(year, types, 'CA', 'ON');
    const days = found.map(({ day }) => day);
    const extra = found.filter(({ day }) => !expected.includes(day)).map(({ day, name }) => `${day} ${name}`);
    console.log(`${year}, ${types.join(' and ')}`);
    console.log(`  off-peak, and not found: ${expected.filter((day) => !days.includes(day)).join(', ') || 'none'}`);
    console.log(`  found, and not off-peak: ${extra.join(', ') || 'none'}`);
    console.log(`  moved off a weekend: ${found.filter(({ substitute }) => substitute).length}`);
  }

for (const place of [['US'], ['GB', 'ENG']])
  console.log(`${place.join('-')} 2022, moved off a weekend: ` +
    weekdays(2022, ['public'], ...place).filter(({ substitute }) => substitute).map(({ day }) => day).join(', '));
END

expect <<'END'
2022, public
  off-peak, and not found: 01-03, 08-01, 12-27
  found, and not off-peak: 04-18 Easter Monday
  moved off a weekend: 0
2022, public and optional
  off-peak, and not found: 01-03, 12-27
  found, and not off-peak: 04-18 Easter Monday, 11-11 Remembrance Day
  moved off a weekend: 0
2026, public
  off-peak, and not found: 08-03, 12-28
  found, and not off-peak: 04-06 Easter Monday
  moved off a weekend: 0
2026, public and optional
  off-peak, and not found: 12-28
  found, and not off-peak: 04-06 Easter Monday, 11-11 Remembrance Day
  moved off a weekend: 0
US 2022, moved off a weekend: 06-20, 12-26
GB-ENG 2022, moved off a weekend: 01-03, 12-27
END
