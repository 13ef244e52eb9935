import { setTimeout as sleep } from 'node:timers/promises';
import seedrandom from 'seedrandom';
import { BEARER } from '../support/deployment.js';

/** A request to publish, the same for every run with one seed. */
export interface PublishRequest {
  tenantId: string;
  readAt: string;
  meterCount: number;
  feederCount: number;
  batchSize: number;
}

const TENANTS = ['CAMPAIGN_A', 'CAMPAIGN_B'];
/** The first interval; each publish has one of its own. */
const FIRST_MS = Date.UTC(2026, 0, 1);
const QUARTER_MS = 900_000;
const METERS = 500;
const FEEDERS = 10;
/** 5 to 20 jobs per publish. */
const BATCH_SIZES = [25, 50, 100];

export function publishRequest(seed: string, number: number): PublishRequest {
  const random = seedrandom(`${seed}/${number}`);
  return {
    tenantId: TENANTS[number % TENANTS.length] as string,
    readAt: new Date(FIRST_MS + number * QUARTER_MS).toISOString(),
    meterCount: METERS,
    feederCount: FEEDERS,
    batchSize: BATCH_SIZES[Math.floor(random() * BATCH_SIZES.length)] as number,
  };
}

/** Events that all publishes of a run show: a theft on one feeder of each tenant, a sag on another. */
export function eventRequests(): { path: string; body: object }[] {
  const span = { startAt: new Date(FIRST_MS).toISOString(), durationMinutes: 30 * 24 * 60 };
  return TENANTS.flatMap((tenantId) => [
    { path: 'event/theft', body: { tenantId, feederId: 'FEEDER_2', severity: 0.5, ...span } },
    { path: 'event/voltage-sag', body: { tenantId, feederId: 'FEEDER_5', severity: 0.4, ...span } },
  ]);
}

/** An answer is waited for so long, ms; the contract is 2 s, and a campaign keeps the machine busy. */
const ANSWER_MS = 10_000;
const AGAIN_MS = 200;

/**
 * Posts until it is accepted. An answer that does not come, 503 and 429 are sent again; what was accepted all the same is
 * then accepted twice, and written once.
 *
 * @param url of an API that is up now; undefined where none is.
 * @returns how often it was sent.
 * @throws when it is refused for another reason.
 */
export async function postUntilAccepted(
  url: () => string | undefined,
  path: string,
  body: object,
): Promise<number> {
  for (let sent = 1; ; sent += 1) {
    const to = url();
    const answer = to === undefined ? undefined : await postOnce(`${to}/api/ami/${path}`, body);
    if (answer?.ok) return sent;
    if (answer !== undefined && answer.status !== 429 && answer.status !== 503)
      throw new Error(`${path} was refused: ${answer.status} ${answer.text}`);
    await sleep(AGAIN_MS);
  }
}

/** Posts once; undefined where no answer came. */
export async function postOnce(
  url: string,
  body: object,
): Promise<{ ok: boolean; status: number; text: string } | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch {
    // Killed, frozen or cut off in the middle: whether it was accepted nobody knows.
    return undefined;
  }
}
