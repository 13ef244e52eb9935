#!/usr/bin/env bash
# open-sml: a register that an SML meter sends in five, six or seven bytes cannot be read; four and eight are.
#
# Guess:    a number of any length from one byte to eight is read. SML lets a meter leave out leading bytes that say
#           nothing, of signed and of unsigned numbers.
# Happens:  unsigned numbers of five, six and seven bytes and signed ones of six and seven throw an error about a field
#           further on, which names neither the register nor a length. Signed ones of five bytes are read, and three bytes
#           of either kind.
# Version:  open-sml 1.0.4.
# Matters:  a register counts tenths of a watt-hour. A large customer's passes 2^32 of them at 429 MWh: a meter that is
#           read for years is unreadable from one quarter hour to the next, and looks like a broken line.
. "$(dirname "$0")/prelude.sh"

install open-sml@1.0.4

program <<'END'
import sml from 'open-sml';

const hex = (number, bytes) => BigInt.asUintN(8 * bytes, BigInt(number)).toString(16).padStart(2 * bytes, '0');
const octets = (text) => hex(text.length / 2 + 1, 1) + text;
const absent = '01';

// The checksum of X.25, low byte first.
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

/** A file with one register, 1-0:1.8.0*255 in tenths of a watt-hour. */
function fileWith(value) {
  const list = `77${absent}${octets('0a01454d480000000001')}${absent}${absent}` +
    `7177${octets('0100010800ff')}${absent}${absent}621e52ff${value}${absent}${absent}${absent}`;
  const open = message('0101', `76${absent}${absent}${octets('00000001')}${octets('0a01')}${absent}${absent}`);
  const body = `1b1b1b1b01010101${open}${message('0701', list)}${message('0201', `71${absent}`)}`;
  const filler = (4 - ((body.length / 2) % 4)) % 4;
  const text = `${body}${'00'.repeat(filler)}1b1b1b1b1a${hex(filler, 1)}`;
  return Buffer.from(text + checksum(text), 'hex');
}

function registerOf(bytes) {
  const file = new sml.SmlFile();
  try {
    file.parse(bytes);
  } catch {
    return 'an error';
  }
  const withScaler = (part) => {
    if (part === null || typeof part !== 'object') return [];
    return 'scaler' in part ? [part.value] : Object.values(part).flatMap(withScaler);
  };
  return withScaler(file.getMessages()).join();
}

const tenths = { 1: 100, 2: 30_000, 3: 8_000_000, 4: 2_000_000_000, 5: 5_000_000_000, 6: 5_000_000_000, 7: 5_000_000_000, 8: 5_000_000_000 };
for (const [bytes, value] of Object.entries(tenths)) {
  const ofType = (type) => registerOf(fileWith(hex(type + Number(bytes) + 1, 1) + hex(value, Number(bytes))));
  console.log(`${value} in ${bytes} bytes: unsigned ${ofType(0x60)}, signed ${ofType(0x50)}`);
}
END

expect <<'END'
100 in 1 bytes: unsigned 100, signed 100
30000 in 2 bytes: unsigned 30000, signed 30000
8000000 in 3 bytes: unsigned 8000000, signed 8000000
2000000000 in 4 bytes: unsigned 2000000000, signed 2000000000
5000000000 in 5 bytes: unsigned an error, signed 5000000000
5000000000 in 6 bytes: unsigned an error, signed an error
5000000000 in 7 bytes: unsigned an error, signed an error
5000000000 in 8 bytes: unsigned 5000000000, signed 5000000000
END
