#!/usr/bin/env bash
# smartmeter-obis: a load profile in SML comes out as its last register value, without a time.
#
# Guess:    four quarter hours of a profile give four values, each with the time that the meter wrote beside it; and
#           two meters in one file give two registers.
# Happens:  a profile has one message for each interval, and the result has one place for each OBIS number. Every message
#           overwrites the one before: the last value is left. Time, interval length and the meter's number are read
#           and not handed on, so two meters in one file also become one, under the second's value. Nothing is reported.
# Version:  smartmeter-obis 4.0.0, open-sml 1.0.4.
# Matters:  the value that is left looks like an ordinary register read. 0.75 kWh of three known intervals cannot be
#           got back, and behind a concentrator one meter's energy stands for another's.
. "$(dirname "$0")/prelude.sh"

install smartmeter-obis@4.0.0 open-sml@1.0.4

program <<'END'
import { writeFileSync } from 'node:fs';
import smartmeter from 'smartmeter-obis';

const hex = (number, bytes) => number.toString(16).padStart(2 * bytes, '0');
const octets = (text) => hex(text.length / 2 + 1, 1) + text;
const unsigned32 = (number) => `65${hex(number, 4)}`;
const absent = '01';
const register = octets('0100010800ff'); // 1-0:1.8.0*255, energy from the grid
const wattHours = '621e';
const tenths = '52ff'; // a scaler of -1

// The checksum of X.25, low byte first, which SML has behind each message and behind the file.
function checksum(text) {
  let value = 0xffff;
  for (const byte of Buffer.from(text, 'hex')) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x8408 : value >>> 1;
  }
  value ^= 0xffff;
  return hex(((value & 0xff) << 8) | (value >>> 8), 2);
}

let messages = 0;
function message(tag, body) {
  messages += 1;
  const start = `76${octets(hex(messages, 4))}620062007263${tag}${body}`;
  return `${start}63${checksum(start)}00`;
}

function file(...inner) {
  const open = message('0101', `76${absent}${absent}${octets('00000001')}${octets('0a01')}${absent}${absent}`);
  const body = `1b1b1b1b01010101${open}${inner.join('')}${message('0201', '71' + absent)}`;
  const filler = (4 - ((body.length / 2) % 4)) % 4;
  const text = `${body}${'00'.repeat(filler)}1b1b1b1b1a${hex(filler, 1)}`;
  return Buffer.from(text + checksum(text), 'hex');
}

const list = (meter, tenthsOfWh) => message('0701', `77${absent}${octets(meter)}${absent}${absent}` +
  `7177${register}${absent}${absent}${wattHours}${tenths}${unsigned32(tenthsOfWh)}${absent}${absent}${absent}`);

const profile = (meter, time, tenthsOfWh) => message('0401', `79${octets(meter)}7262016500000e10${unsigned32(900)}` +
  `71${octets('8181c78611ff')}726202${unsigned32(Date.parse(time) / 1000)}6200` +
  `7175${register}${wattHours}${tenths}${unsigned32(tenthsOfWh)}${absent}${absent}${absent}`);

const read = (path) => new Promise((resolve, reject) => {
  const transport = smartmeter.init({
    protocol: 'SmlProtocol', transport: 'LocalFileTransport', transportLocalFilePath: path, requestInterval: 1, debug: 0,
  }, (error, result) => {
    transport.stop();
    if (error) reject(error);
    else resolve(result);
  });
  transport.process();
});

const times = ['10:00', '10:15', '10:30', '10:45'].map((clock) => `2026-03-07T${clock}Z`);
const files = {
  'four quarter hours': file(...times.map((time, n) => profile('0a01454d480000000001', time, 1_234_560 + 2_500 * n))),
  'two meters': file(list('0a01454d480000000001', 1_234_560), list('0a01454d480000000002', 98_760)),
};
for (const [name, bytes] of Object.entries(files)) {
  writeFileSync('meter.sml', bytes);
  for (const [id, { values, ...rest }] of Object.entries(await read('meter.sml')))
    console.log(`${name}: ${id} ${JSON.stringify(values)}\n  beside it: ${Object.keys(rest).join(' ')}`);
}
END

expect <<'END'
four quarter hours: 1-0:1.8.0*255 [{"value":124.206,"unit":"kWh"}]
  beside it: medium channel measurement measureType tariffRate previousMeasurement rawValue
two meters: 1-0:1.8.0*255 [{"value":9.876,"unit":"kWh"}]
  beside it: medium channel measurement measureType tariffRate previousMeasurement rawValue
END
