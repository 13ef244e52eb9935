#!/usr/bin/env bash
# sparkplug-payload: a net reading of -5 Wh turns into 18446744073709551611 when another package brings a newer `long`.
#
# Guess:    what a decoded Int64 is depends on the payload and on the library's version, not on its neighbours.
# Happens:  alone in node_modules, the library and protobufjs share one copy of `long`, and -5 comes back as -5. With
#           long 5 at the top of node_modules, npm gives each of the two a copy of long 4. The library's `instanceof`
#           then knows the other copy's objects no more and leaves out the turn to signed. The type still says Int64,
#           positive values are right, Int32 is right. value.toSigned() is right in both arrangements.
# Version:  sparkplug-payload 1.0.3 with protobufjs 6.11.6, long 4.0.0; alone and beside long 5.3.2.
# Matters:  a net reading is negative while a roof feeds in, and registers in Wh outgrow Int32 at 2.1 GWh, so Int64 is the
#           natural type. An unrelated dependency breaks feed-in only, and no line of one's own has changed.
. "$(dirname "$0")/prelude.sh"

program <<'END'
import sparkplug from 'sparkplug-payload';

const codec = sparkplug.get('spBv1.0');

for (const [type, value] of [['Int32', -5], ['Int64', 5], ['Int64', -5]]) {
  const payload = { timestamp: 1_767_225_600_000, seq: 0, metrics: [{ name: 'net Wh', type, value }] };
  const [metric] = codec.decodePayload(codec.encodePayload(payload)).metrics;
  const signed = metric.value.toSigned ? `, toSigned ${metric.value.toSigned()}` : '';
  console.log(`${type} ${value}: ${metric.type} ${metric.value}${signed}`);
}
END

install sparkplug-payload@1.0.3 protobufjs@6.11.6
expect <<'END'
Int32 -5: Int32 -5
Int64 5: Int64 5, toSigned 5
Int64 -5: Int64 -5, toSigned -5
END

install sparkplug-payload@1.0.3 protobufjs@6.11.6 long@5.3.2
expect <<'END'
Int32 -5: Int32 -5
Int64 5: Int64 5, toSigned 5
Int64 -5: Int64 18446744073709551611, toSigned -5
END
