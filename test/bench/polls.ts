import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { writeHistory } from '../support/history.js';
import { median, quantile } from '../support/quantiles.js';
import type { Row } from './report.js';
import { type Poll, type ServedCheckout, serveCheckout } from './servedCheckout.js';

const HERE = fileURLToPath(new URL('../../', import.meta.url));
const quickcheck = (tenantId: string): string => `/api/ami/kpi/quickcheck?tenantId=${tenantId}`;

/** A new tag without another figure: the next poll is worked out anew. */
async function touch(pool: pg.Pool, tenantId: string): Promise<void> {
  await pool.query(
    `UPDATE ami_feeder_days day SET version = DEFAULT WHERE (tenant_id, day.day, feeder_id) IN
       (SELECT tenant_id, latest.day, feeder_id FROM ami_feeder_days latest WHERE tenant_id = $1 LIMIT 1)`,
    [tenantId],
  );
}

const answered = (status: number, poll: Poll): Poll => {
  if (poll.status !== status)
    throw new Error(`quickcheck answered ${poll.status}: ${poll.text.slice(0, 200)}`);
  return poll;
};

/** Whether two answers have the same figures, as far as both have them: a later build answers with more fields. */
function sayTheSame(one: unknown, two: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(two))
    return one.length === two.length && one.every((item, index) => sayTheSame(item, two[index]));
  if (!isRecord(one) || !isRecord(two)) return one === two;
  const both = Object.keys(one).filter((key) => key in two && key !== 'generatedAt');
  return both.every((key) => sayTheSame(one[key], two[key]));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** quickcheck of this build against another checkout's, on one database, in turn. */
export async function againstRows(
  url: string,
  pool: pg.Pool,
  tenantId: string,
  other: string,
  polls: number,
): Promise<Row[]> {
  const [now, before] = [await serveCheckout(HERE, url), await serveCheckout(other, url)];
  const times = { full: pair(), unchanged: pair(), changed: pair() };
  const path = quickcheck(tenantId);
  const inTurn = async (
    round: number,
    into: Pair,
    ask: (build: ServedCheckout) => Promise<Poll>,
  ): Promise<[Poll, Poll]> => {
    const first = round % 2 === 0;
    const one = await ask(first ? now : before);
    const two = await ask(first ? before : now);
    const [ofNow, ofBefore] = first ? [one, two] : [two, one];
    if (round >= 0) {
      into.now.push(ofNow.ms);
      into.before.push(ofBefore.ms);
    }
    return [ofNow, ofBefore];
  };
  try {
    for (const build of [now, before]) await warmUp(build, path);
    for (let round = -20; round < polls; round += 1) {
      const [ofNow, ofBefore] = await inTurn(round, times.full, async (build) =>
        answered(200, await build.poll(path)),
      );
      if (!sayTheSame(JSON.parse(ofNow.text), JSON.parse(ofBefore.text)))
        throw new Error(`the two builds answer differently: ${ofNow.text} and ${ofBefore.text}`);
      const tags = new Map([
        [now, ofNow.tag],
        [before, ofBefore.tag],
      ]);
      await inTurn(round, times.unchanged, async (build) =>
        answered(304, await build.poll(path, { 'If-None-Match': tags.get(build) as string })),
      );
    }
    for (let round = -2; round < polls / 3; round += 1) {
      await touch(pool, tenantId);
      await inTurn(round, times.changed, async (build) => answered(200, await build.poll(path)));
    }
  } finally {
    await Promise.all([now.stop(), before.stop()]);
  }
  const row = (what: string, { now, before }: Pair, target: string): Row => ({
    what: `quickcheck ${what}, against the build at ${other}`,
    measured: `p95 ${quantile(now, 0.95).toFixed(1)} against ${quantile(before, 0.95).toFixed(1)} ms, p50 ${median(now).toFixed(1)} against ${median(before).toFixed(1)} ms`,
    ratio: (quantile(now, 0.95) / quantile(before, 0.95)).toFixed(2),
    target,
  });
  return [
    row('over HTTP', times.full, '≤ 0.4'),
    row('unchanged (304)', times.unchanged, '≤ 0.5'),
    row('just after a write', times.changed, ''),
  ];
}

/**
 * Polls so often that Node has compiled what a poll runs, as in a process that has been polled for an hour. Its first 500
 * polls take two to three times as long as its three-thousandth, in either build.
 */
async function warmUp(build: ServedCheckout, path: string): Promise<void> {
  const { tag } = answered(200, await build.poll(path));
  for (let poll = 0; poll < 3_000; poll += 1) answered(304, await build.poll(path, { 'If-None-Match': tag }));
}

interface Pair {
  now: number[];
  before: number[];
}
const pair = (): Pair => ({ now: [], before: [] });

/** quickcheck just after a write: all but 1,000 of a tenant's meters silent, against a tenant whose meters all report. */
export async function silentMetersRow(
  url: string,
  pool: pg.Pool,
  meterCount: number,
  polls: number,
): Promise<Row> {
  const from = new Date(Math.floor(Date.now() / 900_000) * 900_000 - 3 * 900_000);
  const write = (tenantId: string, meters: number, slot: number): Promise<number> =>
    writeHistory(pool, {
      tenantId,
      meterCount: meters,
      feederCount: 25,
      from: new Date(from.getTime() + slot * 900_000),
      quarterHours: 1,
    });
  for (const slot of [0, 1]) {
    await write('HEARD', meterCount, slot);
    await write('SILENT', slot === 0 ? meterCount : meterCount / 25, slot);
  }
  await pool.query('ANALYZE');
  const api = await serveCheckout(HERE, url);
  const times = { silent: [] as number[], heard: [] as number[] };
  try {
    for (let round = -10; round < polls; round += 1) {
      for (const [tenantId, into] of [
        ['HEARD', times.heard],
        ['SILENT', times.silent],
      ] as const) {
        await touch(pool, tenantId);
        const { ms } = answered(200, await api.poll(quickcheck(tenantId)));
        if (round >= 0) into.push(ms);
      }
    }
  } finally {
    await api.stop();
  }
  return {
    what: `quickcheck just after a write, ${meterCount - meterCount / 25} silent meters against none`,
    measured: `p50 ${median(times.silent).toFixed(1)} against ${median(times.heard).toFixed(1)} ms`,
    ratio: (median(times.silent) / median(times.heard)).toFixed(2),
    target: '≤ 1.5',
  };
}
