import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../contracts/errors.js';

/** The API as anybody with a key has it. */
export interface DemoApi {
  /** @throws StartupError what the API says that is wrong. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
}

/** Twice what the API itself takes for an answer, and more on a machine that is busy. */
const ANSWER_MS = 20_000;
const READ_TRIES = 30;
const READ_PAUSE_MS = 1_000;

/**
 * @param url of the API, without a path.
 * @throws StartupError where no GridLens answers there.
 */
export async function openDemoApi(url: string, key: string | undefined): Promise<DemoApi> {
  if (!(await isThere(url)))
    throw new StartupError(
      `No GridLens answers at ${url}: run npm start in another terminal, and then this again.`,
    );
  if (key === undefined)
    throw new StartupError('There is no key: set GRIDLENS_API_KEY to the one that the API was started with.');
  const call = async <T>(path: string, init: RequestInit): Promise<T> => {
    const answer = await ask(`${url}/api/ami${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    });
    const body = (await answer.json()) as { ok: boolean; error?: string };
    if (!body.ok) throw new StartupError(`The API refused ${path} (${answer.status}): ${body.error}`);
    return body as T;
  };
  return {
    get: (path) => call(path, {}),
    post: (path, body = {}) => call(path, { method: 'POST', body: JSON.stringify(body) }),
  };
}

/** Asks again what only reads and was put off: a loaded API says 429 or 503. An event that is posted twice would be two. */
async function ask(url: string, init: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) }).catch(
      (error: Error) => {
        throw new StartupError(`The API does not answer any more (${error.message}): run this again.`);
      },
    );
    const isPutOff = answer.status === 429 || answer.status === 503;
    if (!isPutOff || init.method === 'POST' || tries === READ_TRIES) return answer;
    await answer.body?.cancel();
    await sleep(READ_PAUSE_MS);
  }
}

async function isThere(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok && ((await answer.json()) as { ok?: boolean }).ok === true;
  } catch {
    // Refused, silent, or something that is no GridLens: all the same to whoever has yet to start it.
    return false;
  }
}
