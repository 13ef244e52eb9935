import fc from 'fast-check';
import type pg from 'pg';
import seedrandom from 'seedrandom';
import { BEARER } from '../../support/deployment.js';
import { NOTHING } from '../campaign.js';
import type { Part } from '../parts.js';
import { openScene, type Scene } from '../scene.js';
import { type FuzzRequest, requests } from './requests.js';

/** All that a request may write. */
const TABLES = [
  'ami_publishes',
  'ami_publish_batches',
  'ami_events',
  'ami_auto',
  'ami_ticks',
  'ami_backfills',
  'ami_backfill_publishes',
  'meter_reads_electric',
];

/** No worker runs: what is in the tables is what the requests have written. */
export const contractFuzz: Part = {
  about: 'requests made from the contract, right, nearly right and odd; a round is a request',
  backends: ['postgres', 'redis'],
  rounds: { long: 20_000, short: 400 },
  async run({ backend, seed, isShort, rounds, say = () => undefined }) {
    const scene = await openScene({
      ...{ backend, seed, apis: 1, workers: 0 },
      beforeStart: async () => ({ READS_PER_ADDRESS: '0' }),
    });
    if (scene === undefined) return { ...NOTHING, skipped: 'there is no redis-server or valkey-server' };
    const began = performance.now();
    const wanted = rounds ?? contractFuzz.rounds[isShort ? 'short' : 'long'];
    let done = 0;
    let accepted = 0;
    try {
      let before = await written(scene.pool());
      const checked = await fc.check(
        fc.asyncProperty(requests, async (request) => {
          const { status, body } = await send(scene.fleet.url() as string, request);
          const after = await written(scene.pool());
          judge(request, status, body, after !== before);
          if (after !== before) {
            await forgetAll(scene);
            before = await written(scene.pool());
            accepted += 1;
          }
          done += 1;
          if (done % 1_000 === 0) say(`${done} of ${wanted} requests, ${accepted} accepted`);
        }),
        { numRuns: wanted, seed: seedrandom(seed).int32(), endOnFailure: false },
      );
      const troubles = checked.failed
        ? [
            `${(checked.errorInstance as Error).message}: ${JSON.stringify(checked.counterexample).slice(0, 2_000)} (seed ${checked.seed}, path ${checked.counterexamplePath})`,
          ]
        : scene.fleet.logged(/"level":[56]0/).slice(0, 3);
      const seconds = Math.round((performance.now() - began) / 1000);
      return {
        ...{ ...NOTHING, rounds: done, publishes: accepted, seconds },
        ended: scene.fleet.endedByThemselves(),
        troubles,
      };
    } finally {
      await scene.close();
    }
  },
};

interface Answer {
  ok?: unknown;
  error?: unknown;
  code?: unknown;
  requestId?: unknown;
  details?: { path: string; message: string }[];
}

async function send(url: string, request: FuzzRequest): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${url}${request.path}`, {
    method: request.method,
    headers: {
      ...(request.hasKey ? BEARER : {}),
      ...(request.contentType === undefined ? {} : { 'Content-Type': request.contentType }),
    },
    ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

/** @throws where an answer breaks its promise. */
function judge(request: FuzzRequest, status: number, body: Answer, hasWritten: boolean): void {
  const require = (isSo: boolean, promise: string): void => {
    if (!isSo) throw new Error(`${promise}; it was ${status} ${JSON.stringify(body).slice(0, 500)}`);
  };
  require(status < 500 || status === 503, 'no 5xx but 503');
  require(status < 300 || !hasWritten, 'nothing is written without a 2xx');
  if (request.method === 'GET') require(!hasWritten, 'a GET writes nothing');
  if (request.method === 'POST' && !request.hasKey) require(status === 401, 'a POST without a key is a 401');
  if (request.isTaken === false) require(status >= 400, 'what the contract refuses is refused');
  if (status < 400) return;
  require(body.ok === false && typeof body.error === 'string' && body.error.length > 0, 'a sentence');
  require(typeof body.code === 'string' && typeof body.requestId === 'string', 'code and requestId');
  if (body.code === 'invalid_request') {
    const [first] = body.details ?? [];
    require(first !== undefined && isNamed(String(body.error), first.path), 'the field is named');
  }
}

/** A body as a whole has no path. */
const isNamed = (sentence: string, path: string): boolean => sentence.startsWith(`${path || 'The body'} `);

/** A digest of all that requests can write. */
async function written(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ digest: string }>(
    `SELECT concat(${TABLES.map((table) => `(SELECT md5(string_agg(one::text, '' ORDER BY one::text)) FROM ${table} one), '/'`).join(', ')}) AS digest`,
  );
  return rows[0]?.digest ?? '';
}

async function forgetAll(scene: Scene): Promise<void> {
  await scene.queue.wipe();
  await scene.pool().query(`TRUNCATE ${TABLES.join(', ')} CASCADE`);
}
