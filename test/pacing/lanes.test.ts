import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Lane } from '../../src/contracts/batchJob.js';
import { BackpressureError } from '../../src/contracts/errors.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { type PublishRecord, recordPublishes } from '../../src/ledger/publishLedger.js';
import { BACKGROUND_AHEAD_MS, pacedRate } from '../../src/pacing/pace.js';
import { createStartPacer, PacerClosedError } from '../../src/pacing/startPacer.js';
import { type Admission, createAdmission } from '../../src/publishing/admission.js';
import { restoreLostBatches } from '../../src/publishing/lostBatches.js';
import { describeOnBothBackends, describeOnce } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { syntheticPublish } from '../support/publishRecords.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

const TENANT = 'DEMO_TENANT';
const NOW = new Date('2026-06-01T10:07:00Z');
/** Low enough for a backlog of small batches: one of 25 has a fortieth of a second. */
const RATE = 1_000;
const BATCH = 25;
/** One that has a fifth of a second, as a full batch has of the default limit. */
const SLOW_BATCH = 200;

/** A publish of `jobs` batches, each of an interval of its own. */
function publishOf(lane: Lane, jobs: number, given: Partial<PublishRecord> = {}): PublishRecord {
  const readAt = new Date(lane === 'live' ? '2026-06-01T10:00:00Z' : '2026-05-20T00:00:00Z');
  const meterCount = jobs * BATCH;
  return syntheticPublish({ tenantId: TENANT, readAt, meterCount, batchSize: BATCH, lane, ...given });
}

function admissionOf({ context }: Deployment): Admission {
  return createAdmission({
    database: context.database,
    queue: context.queue,
    maxReadsPerSecond: RATE,
    onEnqueueFailed: (error) => {
      throw error;
    },
  });
}

interface Start {
  at: number;
  meters: number;
  lane: Lane;
}

/** Every start there was, in order, once no batch is pending any more. */
const allStarts = ({ database }: Deployment): Promise<Start[]> =>
  waitFor('all batches', async () => {
    const { rows } = await database.pool.query<Start & { state: string }>(
      `SELECT extract(epoch FROM started_at)::double precision AS at, meters, state,
              CASE WHEN is_background THEN 'background' ELSE 'live' END AS lane
       FROM ami_publish_batches ORDER BY started_at`,
    );
    return rows.every(({ state }) => state === 'done') && rows;
  });

function busiestSecond(starts: readonly Start[]): number {
  const within = (from: number) => starts.filter(({ at }) => at >= from && at < from + 1);
  return Math.max(...starts.map(({ at }) => within(at).reduce((sum, { meters }) => sum + meters, 0)));
}

/** Background starts after the first of `from` and before the last live start. */
function passedBy(starts: readonly Start[], from: number): number {
  const lastLive = starts.findLast(({ lane }) => lane === 'live')?.at ?? Number.NaN;
  return starts.filter(({ lane, at }) => lane === 'background' && at > from && at < lastLive).length;
}

describeOnBothBackends('the lanes', (backend) => {
  let deployment: Deployment;
  let redis: TestRedis | undefined;
  beforeEach(async () => {
    // As many connections as batches: it is the concurrency that bounds them here, not the pool.
    const env = { MAX_READS_PER_SECOND: String(RATE), DATABASE_POOL_MAX: '20' };
    deployment = await createDeployment(backend, env, () => NOW);
  });
  afterEach(async () => {
    await deployment.close();
    await redis?.stop();
    redis = undefined;
  });

  const sql = async (text: string, values: unknown[] = []) =>
    (await deployment.database.pool.query(text, values)).rows;
  const batchesIn = async (state: string): Promise<number> =>
    (await sql('SELECT count(*)::integer AS n FROM ami_publish_batches WHERE state = $1', [state]))[0].n;

  it('a live publish passes a backlog of 100 background jobs, and both together keep the limit', async () => {
    const admission = admissionOf(deployment);
    await admission.admit(publishOf('background', 100));
    await deployment.startWorker();
    await waitFor('the backlog to be under way', async () => (await batchesIn('done')) >= 5);
    await admission.admit(publishOf('live', 10));
    const accepted = await sql(
      `SELECT (SELECT extract(epoch FROM min(due_at))::double precision FROM ami_publish_batches WHERE NOT is_background) AS at,
         (SELECT count(*)::integer FROM ami_publish_batches WHERE is_background AND state = 'pending') AS waiting`,
    );
    expect(accepted[0].waiting).toBeGreaterThan(50);
    const starts = await allStarts(deployment);
    expect(starts).toHaveLength(110);
    // The one that was held when it was accepted, and those between the ledger's entry and its commit.
    expect(passedBy(starts, accepted[0].at)).toBeLessThanOrEqual(3);
    expect(busiestSecond(starts)).toBeLessThanOrEqual(RATE + BATCH);
    expect(await sql('SELECT count(*)::integer AS n FROM meter_reads_electric')).toEqual([
      { n: 110 * BATCH },
    ]);
  });

  it('after an outage late live work still goes first, over two workers, and both lanes keep the limit', async () => {
    const admission = admissionOf(deployment);
    await admission.admit(publishOf('background', 40));
    await admission.admit(publishOf('live', 40));
    await waitFor('every due time to pass', async () => {
      const [row] = await sql('SELECT max(due_at) < now() AS over FROM ami_publish_batches');
      return row.over as boolean;
    });
    await sql(`UPDATE ami_publish_batches SET due_at = due_at - interval '10 min'`);
    await Promise.all([deployment.startWorker(), deployment.startWorker()]);
    const starts = await allStarts(deployment);
    // Until the first live start nobody can tell this from live work that is lost.
    const firstLive = starts.find(({ lane }) => lane === 'live')?.at as number;
    expect(passedBy(starts, firstLive)).toBeLessThanOrEqual(4);
    expect(busiestSecond(starts)).toBeLessThanOrEqual(RATE + BATCH);
  });

  it('refuses more than 100 background jobs, while a live publish is accepted and due at once', async () => {
    const admission = admissionOf(deployment);
    const rate = pacedRate(RATE);
    const first = await admission.admit(publishOf('background', 60));
    expect(first.lastStartInMs).toBeCloseTo((59 * BATCH * 1000) / rate);
    // These are decided on together, in this order.
    const asked = [
      publishOf('background', 40),
      publishOf('live', 10),
      publishOf('background', 1),
      publishOf('live', 10),
    ];
    const answers = await Promise.allSettled(asked.map((publish) => admission.admit(publish)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    const refusal = (answers[2] as PromiseRejectedResult).reason as BackpressureError;
    expect(refusal).toBeInstanceOf(BackpressureError);
    expect(refusal.depth).toMatchObject({ outstanding: 100, requested: 1, limit: 100 });
    expect(refusal.retryAfterSeconds).toBe(1);
    const lastStarts = answers.map((answer) =>
      answer.status === 'fulfilled' ? Math.round(answer.value.lastStartInMs) : undefined,
    );
    const ms = (batches: number) => Math.round((batches * BATCH * 1000) / rate);
    expect(lastStarts[0]).toBe(ms(99));
    // The first live reads are due now, whatever the background holds; the database's clock has its microseconds.
    expect(Math.abs((lastStarts[1] as number) - ms(9))).toBeLessThanOrEqual(1);

    const due = await sql(
      `SELECT is_background, count(*)::integer AS batches, count(DISTINCT due_at)::integer AS times,
              extract(epoch FROM max(due_at) - min(due_at))::double precision * 1000 AS ms
       FROM ami_publish_batches GROUP BY 1 ORDER BY 1`,
    );
    expect(due).toMatchObject([
      { is_background: false, batches: 20 },
      { is_background: true, batches: 100 },
    ]);
    expect(due[0].ms).toBeGreaterThan(ms(9));
    // A background job is not put off in the queue: of the live ones all but the first of each publish are.
    const { waiting, delayed } = await deployment.context.queue.counts();
    expect(waiting + delayed).toBe(120);
    expect(waiting).toBeGreaterThanOrEqual(100);
  });

  it('the bound of 500 holds for both lanes together, however many ask at once', async () => {
    const admissions = [1, 2, 3].map(() => admissionOf(deployment));
    const asked = Array.from({ length: 60 }, (_, index) =>
      publishOf(index % 2 === 0 ? 'live' : 'background', 20, { feederCount: 10 }),
    );
    const answers = await Promise.allSettled(
      asked.map((publish, index) => (admissions[index % 3] as Admission).admit(publish)),
    );
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(BackpressureError);
    const accepted = answers.filter(({ status }) => status === 'fulfilled').length * 20;
    expect(accepted).toBe(500);
    const [ledger] = await sql(
      `SELECT count(*)::integer AS batches, count(*) FILTER (WHERE is_background)::integer AS background
       FROM ami_publish_batches`,
    );
    expect(ledger.batches).toBe(500);
    expect(ledger.background).toBeLessThanOrEqual(100);
    const { waiting, delayed } = await deployment.context.queue.counts();
    expect(waiting + delayed).toBe(500);
  });

  it('puts both lanes back when the queue is wiped, each into its own, and nothing that is there', async () => {
    redis = backend === 'redis' ? await startOwnRedis() : undefined;
    await deployment.close();
    deployment = await createDeployment(backend, redis ? { REDIS_URL: redis.url } : {}, () => NOW);
    const admission = admissionOf(deployment);
    const publishes = [publishOf('background', 3), publishOf('live', 2)];
    for (const publish of publishes) await admission.admit(publish);
    await sql(`UPDATE ami_publish_batches SET due_at = now() - interval '1 min'`);
    const { database, queue } = deployment.context;
    expect(await restoreLostBatches(database, queue)).toBe(0);
    if (redis) {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    } else {
      await sql('DELETE FROM bullmq.job');
    }
    expect(await restoreLostBatches(database, queue)).toBe(5);
    expect(await restoreLostBatches(database, queue)).toBe(0);
    for (const publish of publishes) {
      const payload = batchPayload(publish, 0);
      expect(await queue.haveRun(payload, publish.lane)).toBe(true);
      expect(await queue.haveRun(payload, publish.lane === 'live' ? 'background' : 'live')).toBe(false);
    }
    await deployment.startWorker();
    expect(await allStarts(deployment)).toHaveLength(5);
  });

  it('C1: runs what is overdue and was put off by a day, as by a machine whose clock is ahead', async () => {
    const { database, queue } = deployment.context;
    for (const publish of [publishOf('live', 2), publishOf('background', 2)]) {
      const { publishId, readAt } = publish;
      await sql('SELECT ami_ensure_read_partition($1)', [readAt.toISOString().slice(0, 10)]);
      const batches = [0, 1].map((number) => ({
        ...{ publishId, number, tenantId: TENANT, meters: BATCH, dueInMs: 0 },
      }));
      await recordPublishes(database, [publish], batches);
      const payloads = [0, 1].map((batch) => batchPayload(publish, batch));
      await queue.add(payloads.map((payload) => ({ payload, lane: publish.lane, delayMs: 86_400_000 })));
    }
    await deployment.startWorker();
    await sql(`UPDATE ami_publish_batches SET due_at = now() - interval '1 min'`);
    await restoreLostBatches(database, queue);
    expect(await allStarts(deployment)).toHaveLength(4);
  });

  it('a revision of an interval that was published in the background is live', async () => {
    const readAt = new Date('2026-06-01T10:00:00Z');
    await admissionOf(deployment).admit(publishOf('background', 4, { readAt, origin: 'catch-up' }));
    await deployment.startWorker();
    await allStarts(deployment);
    const answer = await deployment.post('/api/ami/event/theft', {
      tenantId: TENANT,
      feederId: 'FEEDER_7',
      durationMinutes: 60,
      applyNow: true,
    });
    expect(answer.status).toBe(201);
    const lanes = await sql(
      `SELECT origin, publish.is_background, bool_or(batch.is_background) AS any_batch
       FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id) GROUP BY 1, 2 ORDER BY 1`,
    );
    expect(lanes).toEqual([
      { origin: 'catch-up', is_background: true, any_batch: true },
      { origin: 'revision', is_background: false, any_batch: false },
    ]);
    await allStarts(deployment);
  });

  it('the background goes on while every live batch fails for a passing reason', async () => {
    await sql(
      `CREATE FUNCTION locked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.tenant_id = 'LOCKED' THEN RAISE EXCEPTION 'locked' USING ERRCODE = '55P03'; END IF;
         RETURN NEW; END $$`,
    );
    await sql(
      `CREATE TRIGGER locked BEFORE INSERT ON meter_reads_electric FOR EACH ROW EXECUTE FUNCTION locked()`,
    );
    const admission = admissionOf(deployment);
    await admission.admit(publishOf('live', 60, { tenantId: 'LOCKED', feederCount: 10 }));
    await sql(`UPDATE ami_publish_batches SET due_at = due_at - interval '61 s'`);
    await admission.admit(publishOf('background', 5));
    await deployment.startWorker();
    await waitFor('the background', async () => (await batchesIn('done')) === 5);
    expect(await batchesIn('pending')).toBe(60);
  });

  it('a worker writes no more batches at once than its concurrency, of both lanes together', async () => {
    await sql(
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$`,
    );
    await sql(
      `CREATE TRIGGER slow BEFORE INSERT ON meter_reads_electric FOR EACH STATEMENT EXECUTE FUNCTION slow()`,
    );
    const admission = admissionOf(deployment);
    await admission.admit(publishOf('background', 6));
    await deployment.startWorker();
    const writing = async (): Promise<number> =>
      (
        await sql(
          `SELECT count(*)::integer AS n FROM pg_stat_activity
           WHERE datname = current_database() AND state = 'active' AND wait_event = 'PgSleep'`,
        )
      )[0].n;
    await waitFor('the background to be written', async () => (await writing()) === 2);
    await admission.admit(publishOf('live', 40));
    let most = 0;
    await waitFor('the live publish', async () => {
      most = Math.max(most, await writing());
      const [left] = await sql(
        `SELECT count(*)::integer AS n FROM ami_publish_batches WHERE state = 'pending' AND NOT is_background`,
      );
      return left.n === 0;
    });
    expect(most).toBe(8);
    await allStarts(deployment);
  });

  it('background batches that were cancelled while they waited cost no start', async () => {
    await admissionOf(deployment).admit(publishOf('background', 5));
    await sql(`UPDATE ami_publish_batches SET state = 'cancelled', finished_at = now()`);
    // No start is to be had: whatever needs one waits.
    await sql(`UPDATE ami_pacing SET start_until = now() + interval '1 h'`);
    await deployment.startWorker();
    const finished = () => deployment.logLines.filter(({ alreadyFinished }) => alreadyFinished === true);
    await waitFor('the jobs', async () => finished().length === 5);
    expect(deployment.logLines.filter(({ alreadyFinished }) => alreadyFinished === false)).toEqual([]);
  });

  it('a worker that stops hands back the background batch that lets live work go first', async () => {
    await admissionOf(deployment).admit(publishOf('background', 3));
    // Live work that no worker is given: the ledger alone knows it.
    const live = publishOf('live', 1);
    const { publishId } = live;
    const batch = { publishId, number: 0, tenantId: TENANT, meters: BATCH, dueInMs: 0 };
    await recordPublishes(deployment.database.pool, [live], [batch]);
    const worker = await deployment.startWorker();
    const { queue } = deployment.context;
    await waitFor('two jobs to be taken', async () => (await queue.counts()).active === 2);
    await worker.stop();
    const { active, waiting, delayed } = await queue.counts();
    expect([active, waiting + delayed]).toEqual([0, 3]);
    await sql('DELETE FROM ami_publish_batches WHERE publish_id = $1', [publishId]);
    await deployment.startWorker();
    await waitFor('the background', async () => (await batchesIn('done')) === 3);
  });
});

describeOnce('starts in the background', () => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment('postgres');
    await admissionOf(deployment).admit(publishOf('live', 1));
  });
  afterEach(() => deployment.close());

  const due = (ago: string) =>
    deployment.database.pool.query(`UPDATE ami_publish_batches SET due_at = now() - $1::interval`, [ago]);
  const startsWithin = async (ms: number): Promise<boolean> => {
    const pacer = createStartPacer(deployment.database.pool, RATE);
    const turn = pacer.turn(BATCH, 'background').then(
      () => true,
      () => false,
    );
    const timer = setTimeout(() => pacer.close(), ms);
    const started = await turn;
    clearTimeout(timer);
    return started;
  };

  it('wait while a live batch is due and not written, and start before one that is due later', async () => {
    await due('0 s');
    expect(await startsWithin(400)).toBe(false);
    await due('59 s');
    expect(await startsWithin(400)).toBe(false);
    // Nor was anything taken meanwhile.
    const { rows } = await deployment.database.pool.query('SELECT start_until FROM ami_pacing');
    expect(rows).toEqual([{ start_until: Number.NEGATIVE_INFINITY }]);
    await due('-10 min');
    expect(await startsWithin(30_000)).toBe(true);
    await due('0 s');
    await deployment.database.pool.query(
      `UPDATE ami_publish_batches SET state = 'cancelled', finished_at = now()`,
    );
    expect(await startsWithin(30_000)).toBe(true);
  });

  it('wait for a live batch that is a minute late only while others as late are ended', async () => {
    await admissionOf(deployment).admit(publishOf('live', 1));
    await due('61 s');
    expect(await startsWithin(30_000)).toBe(true);
    // Grants say nothing: a batch that fails again and again has one each time.
    await createStartPacer(deployment.database.pool, RATE).turn(BATCH, 'live');
    expect(await startsWithin(30_000)).toBe(true);

    const endOne = (lateBy: string, ago: string) =>
      deployment.database.pool.query(
        `UPDATE ami_publish_batches SET state = 'failed', failure = 'x', finished_at = now() - $2::interval,
           due_at = now() - $2::interval - $1::interval
         WHERE ctid = (SELECT min(ctid) FROM ami_publish_batches)`,
        [lateBy, ago],
      );
    await endOne('61 s', '1 s');
    expect(await startsWithin(400)).toBe(false);
    await endOne('61 s', '12 s');
    expect(await startsWithin(30_000)).toBe(true);
    // Of what is on time nothing follows for what is late.
    await endOne('1 s', '1 s');
    expect(await startsWithin(30_000)).toBe(true);
    // The clock was set back by an hour since.
    await endOne('61 s', '-1 h');
    expect(await startsWithin(30_000)).toBe(true);
  });

  it('are granted one at a time, however many processes ask, and use up the limit all the same', async () => {
    await deployment.database.pool.query(`UPDATE ami_publish_batches SET due_at = now() + interval '1 h'`);
    const pacers = [1, 2, 3, 4].map(() => createStartPacer(deployment.database.pool, RATE));
    const startsOf = async (pacer: (typeof pacers)[number]): Promise<number[]> => {
      const starts: number[] = [];
      for (let batch = 0; batch < 4; batch += 1)
        starts.push((await pacer.turn(SLOW_BATCH, 'background')).getTime());
      return starts;
    };
    let furthestMs = 0;
    let asking = true;
    const watching = (async () => {
      while (asking) {
        const { rows } = await deployment.database.pool.query<{ ms: number }>(
          `SELECT extract(epoch FROM start_until - clock_timestamp())::double precision * 1000 AS ms FROM ami_pacing`,
        );
        furthestMs = Math.max(furthestMs, rows[0]?.ms ?? 0);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const starts = (await Promise.all(pacers.map(startsOf))).flat().sort((a, b) => a - b);
    asking = false;
    await watching;
    // Its own share, and what it may be granted ahead.
    const shareMs = (SLOW_BATCH * 1000) / pacedRate(RATE);
    expect(furthestMs).toBeLessThanOrEqual(shareMs + BACKGROUND_AHEAD_MS + 1);
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] as number));
    expect(Math.min(...gaps)).toBeGreaterThan(shareMs - 30);
    expect(gaps.sort((a, b) => a - b)[gaps.length >> 1]).toBeLessThan(shareMs * 1.2);
  });

  it('go on when the clock was set back', async () => {
    await deployment.database.pool.query(`UPDATE ami_publish_batches SET due_at = now() + interval '1 h'`);
    await deployment.database.pool.query(`UPDATE ami_pacing SET start_until = now() + interval '10 days'`);
    // What can have been granted ahead at most: 50 ms here.
    const pacer = createStartPacer(deployment.database.pool, 1_000_000);
    await pacer.turn(BATCH, 'background');
  });

  it('do not hold up the live starts of their process, and end when it stops', async () => {
    await due('0 s');
    const pacer = createStartPacer(deployment.database.pool, RATE);
    const waiting = [1, 2].map(() => pacer.turn(BATCH, 'background').catch((error: unknown) => error));
    await pacer.turn(BATCH, 'live');
    pacer.close();
    for (const turn of waiting) expect(await turn).toBeInstanceOf(PacerClosedError);
  });
});
