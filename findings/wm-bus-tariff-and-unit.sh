#!/usr/bin/env bash
# wm-bus: peak and off-peak registers, and those of two units, are given as one; every time is the text "DST".
#
# Guess:    a record of M-Bus whose second byte says tariff 1 has tariff 1 in the answer, one of unit 1 has unit 1, and a
#           date-time is the time that stands there, with its summer bit as an offset or a flag.
# Happens:  tariff and unit stay 0 for all of these, so nothing tells them from each other, nor from the total. Both are
#           taken from bits of the storage number: storage 3 is storage 33, tariff 1, unit 1. A date-time is "DST"
#           whatever its bits say, and 7 March 2026 is "126-4-2": the year less 1900, the month after, and the day of
#           the week of 7 April. No record has an error.
# Version:  wm-bus 0.1.16. The telegrams' checksums are verified by it.
# Matters:  a meter with two tariffs sends total, peak and off-peak beside each other; added up, the energy is there
#           twice, and by name the last one stands for all. The times of a load profile cannot be got back.
. "$(dirname "$0")/prelude.sh"

install wm-bus@0.1.16

program <<'END'
import wmbus from 'wm-bus';

// The checksum of EN 13757, which stands behind the head of a telegram and behind each 16 bytes.
function checksum(bytes) {
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) value = ((value << 1) ^ (value & 0x8000 ? 0x3d65 : 0)) & 0xffff;
  }
  return [(value ^ 0xffff) >> 8, (value ^ 0xffff) & 0xff];
}

function telegram(records) {
  const body = [0x7a, 1, 0, 0, 0, ...Buffer.from(records, 'hex')];
  const head = [9 + body.length, 0x44, 0xae, 0x4c, 0x78, 0x56, 0x34, 0x12, 0x01, 0x02];
  const blocks = [head];
  for (let at = 0; at < body.length; at += 16) blocks.push(body.slice(at, at + 16));
  return Buffer.from(blocks.flatMap((block) => [...block, ...checksum(block)])).toString('hex');
}

const silent = { debug() {}, error() {} };

function read(records) {
  const decoder = new wmbus.WMBUS({ log: silent });
  decoder.parseHex(telegram(records));
  return decoder;
}

for (const [name, record] of Object.entries({
  total: '04 03 64000000',
  'tariff 1': '84 10 03 28000000',
  'tariff 2': '84 20 03 3c000000',
  'unit 1': '84 40 03 09000000',
  'storage 3': 'c4 01 03 0b000000',
  '7 March 2026, 02:30': '04 6d 1e024733',
  '7 March 2026, 02:30, summer time': '04 6d 1e824733',
  '7 March 2026': '02 6c 4733',
})) {
  const { errorcode, datablocks: [{ value, unit, tariff, devUnit, storageNo }] } = read(record.replaceAll(' ', ''));
  console.log(`${name}: ${`${value} ${unit}`.trim()}, tariff ${tariff}, unit ${devUnit}, storage ${storageNo}, ` +
    `error ${errorcode}`);
}
END

expect <<'END'
total: 100 Wh, tariff 0, unit 0, storage 0, error 0
tariff 1: 40 Wh, tariff 0, unit 0, storage 0, error 0
tariff 2: 60 Wh, tariff 0, unit 0, storage 0, error 0
unit 1: 9 Wh, tariff 0, unit 0, storage 0, error 0
storage 3: 11 Wh, tariff 1, unit 1, storage 33, error 0
7 March 2026, 02:30: DST, tariff 0, unit 0, storage 0, error 0
7 March 2026, 02:30, summer time: DST, tariff 0, unit 0, storage 0, error 0
7 March 2026: 126-4-2, tariff 0, unit 0, storage 0, error 0
END
