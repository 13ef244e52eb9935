#!/usr/bin/env bash
# dsmr-parser: the letter that tells summer from winter time is read and thrown away.
#
# Guess:    a Dutch telegram's 02:30 S and 02:30 W of the autumn night are two instants, one hour apart, wherever the
#           program runs: the letter is there for that.
# Happens:  both are the same Date. It is made in the zone of the process, so a container in UTC reads every telegram
#           of a Dutch summer two hours late, although S says what the offset is.
# Version:  dsmr-parser 2.1.1 (crc 3.8.0 makes the telegrams' checksums).
# Matters:  four quarter hours of a year fall on four others of the same meter: as a key of meter and instant they
#           are duplicates, and one of each pair is dropped or overwrites the other.
. "$(dirname "$0")/prelude.sh"

install dsmr-parser@2.1.1 crc@3.8.0

program <<'END'
import crc from 'crc';
import dsmr from 'dsmr-parser';

function telegram(time) {
  const body = `/XMX5LGBBFG10\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(${time})\r\n1-0:1.8.1(000123.456*kWh)\r\n!`;
  return `${body}${crc.crc16(body).toString(16).toUpperCase().padStart(4, '0')}\r\n`;
}

for (const zone of ['Europe/Amsterdam', 'UTC']) {
  process.env.TZ = zone;
  for (const time of ['261025023000S', '261025023000W'])
    console.log(`process in ${zone}: ${time} is ${dsmr.parse(telegram(time)).objects.timestamp.toISOString()}`);
}
END

expect <<'END'
process in Europe/Amsterdam: 261025023000S is 2026-10-25T00:30:00.000Z
process in Europe/Amsterdam: 261025023000W is 2026-10-25T00:30:00.000Z
process in UTC: 261025023000S is 2026-10-25T02:30:00.000Z
process in UTC: 261025023000W is 2026-10-25T02:30:00.000Z
END
