/** What jobs of ours carry (contracts/batchJob.ts, queues/tickQueue.ts). */
const FIELDS = new Set([
  'publishId',
  'batch',
  'tenantId',
  'readAt',
  'intervalMinutes',
  'seed',
  'from',
  'to',
  'timeZone',
  'climate',
  'onConflict',
  'last',
  'requestId',
  'fleet',
  'fleetId',
  'meterCount',
  'emulated',
]);

/**
 * A job's data as the board shows it: the fields that are known to be no secret. Of any other, as of a job that somebody else
 * has put into the queue, only its name is shown.
 */
export function shownData(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data === undefined ? undefined : '…';
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, FIELDS.has(name) ? value : '…']),
  );
}

/** A password in a URL, or behind its name, as errors of connections and of foreign jobs may quote it. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:)[^\s/]+@/gi;
const NAMED_PASSWORD =
  /\b(password|passwd|pwd|secret|token|authorization)(["']?\s*[=:]\s*["']?)(?:(?:bearer|basic) +)?[^\s"',;}]+/gi;

/**
 * An answer of Bull Board as JSON. Bull Board asks nobody about errors, logs and the templates of schedulers, so passwords
 * are left out of every string, and a template's data is shown as a job's.
 */
export function shownAnswer(body: unknown): string {
  return JSON.stringify(body ?? null, (name, value: unknown) => {
    if (typeof value === 'string')
      return value.replace(URL_PASSWORD, '$1…@').replace(NAMED_PASSWORD, '$1$2…');
    if (name === 'template' && typeof value === 'object' && value !== null)
      return { ...value, data: shownData((value as { data?: unknown }).data) };
    return value;
  });
}
