/** The API as this page asks it: `GET` and `POST` below `/api/ami` of the host that served the page, nothing else. */
import { askForKey, forgetKey, storedKey } from './key.js';

/** What the API, or the way to it, refused; `message` is one sentence for the reader. */
export class ApiFailure extends Error {
  override name = 'ApiFailure';
  constructor(
    message: string,
    /** HTTP's; 0 where no answer came. */
    readonly status: number,
    /** Where the API says so: ms until it wants to be asked again. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** The reader was asked for a key and gave none. */
export class NoKeyGiven extends Error {
  override name = 'NoKeyGiven';
  override message = 'Nothing was sent: this needs the key.';
}

type Query = Record<string, string | number | null | undefined>;

/** An answer of a GET. The browser keeps its tag, and asks again with it: what has not changed comes as 304. */
export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const search = new URLSearchParams(known.map(([name, value]) => [name, String(value)])).toString();
  const request = (key: string | null): Promise<T> =>
    ask<T>(`${path}${search === '' ? '' : `?${search}`}`, {
      headers: bearer(key),
      ...(signal ? { signal } : {}),
    });
  return withKey(request, 'reading', false);
}

/** Writes; asks for the key first where this tab has none. */
export function post<T>(path: string, body: object): Promise<T> {
  return withKey<T>(
    (key) =>
      ask<T>(path, {
        method: 'POST',
        headers: { ...bearer(key), 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    'writing',
    true,
  );
}

/** Whether a key may write, found out by a dry run; what the API says of it where it may not. */
export async function whyKeyIsRefused(key: string): Promise<string | null> {
  try {
    await ask('/publish-once', {
      method: 'POST',
      headers: { ...bearer(key), 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'KEY_CHECK', dryRun: true }),
    });
    return null;
  } catch (error) {
    if (error instanceof ApiFailure && (error.status === 401 || error.status === 403 || error.status === 429))
      return error.message;
    throw error;
  }
}

/** Sends with the key of this tab, and asks for another one as often as one is refused. */
async function withKey<T>(
  request: (key: string | null) => Promise<T>,
  reason: 'reading' | 'writing',
  needsKey: boolean,
): Promise<T> {
  let key = storedKey();
  if (needsKey && key === null) key = await given(reason, null);
  for (;;) {
    try {
      return await request(key);
    } catch (error) {
      const isRefused = error instanceof ApiFailure && (error.status === 401 || error.status === 403);
      if (!isRefused) throw error;
      const refusal = key === null ? null : error.message;
      if (key !== null && key === storedKey()) forgetKey();
      key = await given(reason, refusal);
    }
  }
}

async function given(reason: 'reading' | 'writing', refusal: string | null): Promise<string> {
  const key = await askForKey(reason, refusal);
  if (key === null) throw new NoKeyGiven();
  return key;
}

const bearer = (key: string | null): Record<string, string> =>
  key === null ? {} : { Authorization: `Bearer ${key}` };

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(`/api/ami${path}`, init).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiFailure('The API does not answer: is it running, and can this browser reach it?', 0);
  });
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as T;
  const retryAfter = Number(response.headers.get('Retry-After'));
  throw new ApiFailure(
    typeof body?.error === 'string' ? body.error : `The API answered ${response.status} without a reason.`,
    response.status,
    retryAfter > 0 ? retryAfter * 1_000 : null,
  );
}
