#!/usr/bin/env bash
# wm-bus: 500 W fed in are 65,036 W drawn, and a register of 3 MWh is -1.3 MWh.
#
# Guess:    the integers of M-Bus are signed, as its type B says, and a decoder gives the same number however many bytes
#           a meter writes it with.
# Happens:  -500 is right in 4 bytes. In 1, 2 and 3 bytes it is taken as unsigned. Of 6 and 8 bytes the upper half is
#           shifted by 32 bits, which in JavaScript is by none, and added below: 2 to the power of 32 and 5 is 6. From 2
#           to the power of 31 on, the lower half turns negative. The answer's error code is 0 all the while.
# Version:  wm-bus 0.1.16. The telegrams' checksums are verified by it.
# Matters:  short fields are for small numbers, so power near zero is what changes its sign: a roof's feed-in becomes a
#           load. A register in mWh passes 2 to the power of 31 at 2,147 kWh, some months into a home's meter.
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
const codeOfLength = { 1: '01', 2: '02', 3: '03', 4: '04', 6: '06', 8: '07' };
const watts = '2b';
const milliwattHours = '00';

function show(quantity, number, bytes) {
  const field = Buffer.alloc(8);
  field.writeBigInt64LE(BigInt(number));
  const decoder = new wmbus.WMBUS({ log: silent });
  decoder.parseHex(telegram(codeOfLength[bytes] + quantity + field.subarray(0, bytes).toString('hex')));
  const [{ value, unit }] = decoder.datablocks;
  const sent = quantity === watts ? `${number} W` : `${number / 1000} Wh`;
  console.log(`${sent} in ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}: ${value} ${unit}, error ${decoder.errorcode}`);
}

show(watts, -5, 1);
for (const bytes of [2, 3, 4]) show(watts, -500, bytes);
for (const bytes of [6, 8])
  for (const number of [2_000_000_000, 3_000_000_000, 2 ** 32 + 5]) show(milliwattHours, number, bytes);
END

expect <<'END'
-5 W in 1 byte: 251 W, error 0
-500 W in 2 bytes: 65036 W, error 0
-500 W in 3 bytes: 16776716 W, error 0
-500 W in 4 bytes: -500 W, error 0
2000000 Wh in 6 bytes: 2000000 Wh, error 0
3000000 Wh in 6 bytes: -1294967.296 Wh, error 0
4294967.301 Wh in 6 bytes: 0.006 Wh, error 0
2000000 Wh in 8 bytes: 2000000 Wh, error 0
3000000 Wh in 8 bytes: -1294967.296 Wh, error 0
4294967.301 Wh in 8 bytes: 0.006 Wh, error 0
END
