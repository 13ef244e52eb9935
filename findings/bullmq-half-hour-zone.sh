#!/usr/bin/env bash
# A BullMQ scheduler whose pattern runs in Lord Howe's zone leaves out ticks, or has no next tick at all.
#
# Guess:    `{ pattern: '*/15 * * * *', tz }` ticks at every quarter hour of a local day, however long that day is.
# Happens:  Lord Howe moves its clocks by half an hour, so its days of change have 98 and 94 quarter hours.
#           BullMQ makes 96 and 92 ticks: the repeated half hour is run once, and the first two quarter hours after
#           the spring change are skipped. An hourly pattern ends on the autumn day: after 01:00 the next time is
#           `undefined`. New York, whose clocks move by a whole hour, gets all of its 100 quarter hours.
# Version:  bullmq 6.7.0, which pins cron-parser 5.10.3.
# Matters:  each missing tick is a quarter hour of reads that nobody asks for, and no error says so. Patterns in UTC
#           have no such days.
. "$(dirname "$0")/prelude.sh"

install bullmq@6.7.0

program <<'END'
import { getNextMillis } from 'bullmq';

const clock = (ms, tz) => new Date(ms).toLocaleTimeString('en-GB', { timeZone: tz, timeStyle: 'short' });

async function ticks(tz, pattern, from, to) {
  const end = Date.parse(to);
  const seen = [];
  let last = Date.parse(from) - 1;
  while (true) {
    last = await getNextMillis(last, { pattern, tz });
    if (last === undefined || last >= end) return { seen, ends: last === undefined };
    seen.push(last);
  }
}

async function report(tz, day, pattern, from, to) {
  const { seen, ends } = await ticks(tz, pattern, from, to);
  const quarters = (Date.parse(to) - Date.parse(from)) / 900_000;
  const last = ends ? `, nothing after ${clock(seen.at(-1), tz)}` : '';
  console.log(`${tz} ${day} ${pattern}: ${quarters} quarter hours, ${seen.length} ticks${last}`);
}

const lordHowe = 'Australia/Lord_Howe';
await report(lordHowe, '2026-04-05', '*/15 * * * *', '2026-04-04T13:00Z', '2026-04-05T13:30Z');
await report(lordHowe, '2026-10-04', '*/15 * * * *', '2026-10-03T13:30Z', '2026-10-04T13:00Z');
await report(lordHowe, '2026-04-05', '0 * * * *', '2026-04-04T13:00Z', '2026-04-05T13:30Z');
await report('America/New_York', '2026-11-01', '*/15 * * * *', '2026-11-01T04:00Z', '2026-11-02T05:00Z');
END

expect <<'END'
Australia/Lord_Howe 2026-04-05 */15 * * * *: 98 quarter hours, 96 ticks
Australia/Lord_Howe 2026-10-04 */15 * * * *: 94 quarter hours, 92 ticks
Australia/Lord_Howe 2026-04-05 0 * * * *: 98 quarter hours, 2 ticks, nothing after 01:00
America/New_York 2026-11-01 */15 * * * *: 100 quarter hours, 100 ticks
END

