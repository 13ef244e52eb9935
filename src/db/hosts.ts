import type { Queryable } from './queryable.js';

/**
 * Scheme and credentials, hosts, and the rest of a URL whose hosts may be several: `postgres://u:p@one:5432,two/db`. Hosts
 * begin behind the last @: one before it is the password's.
 */
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/i;

/**
 * A URL for each host that a connection string names, in its order, with sslmode as pg means it.
 *
 * `target_session_attrs` is left out where there are several: what it can sensibly ask for, a server that takes writes,
 * is asked of every host. pg takes `prefer`, `require` and `verify-ca` for `verify-full`, and warns of each in eight lines.
 */
export function hostUrls(connectionString: string): string[] {
  const [, start, hosts, rest] = PARTS.exec(connectionString) ?? [];
  if (start === undefined || hosts === undefined || rest === undefined) return [connectionString];
  const tail = rest
    .replace(/([?&])target_session_attrs=[^&#]*&?/, '$1')
    .replace(/[?&]$/, '')
    .replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|#|$)/, '$1verify-full');
  return hosts.split(',').map((host) => `${start}${host}${tail}`);
}

/** The same connection string with another of its hosts first, and the others behind it in their order. */
export function withFirstHost(connectionString: string, first: number): string {
  const [, start, hosts, rest] = PARTS.exec(connectionString) ?? [];
  if (hosts === undefined) return connectionString;
  const all = hosts.split(',');
  return `${start}${[...all.slice(first), ...all.slice(0, first)].join(',')}${rest}`;
}

/** Which of several hosts the next connection goes to: the one that the last went to, until that fails. */
export function inTurn(urls: readonly string[]): {
  count: number;
  current: () => string;
  /** Goes on to the next, unless another connection has done so already. */
  leave: (url: string) => void;
} {
  let at = 0;
  return {
    count: urls.length,
    current: () => urls[at] as string,
    leave(url) {
      if (urls[at] === url) at = (at + 1) % urls.length;
    },
  };
}

/** Of several hosts one alone is the primary: SQLSTATE 25006, as of a write that a server does not take. */
export class NotWritableError extends Error {
  override name = 'NotWritableError';
  readonly code = '25006';
  constructor() {
    super('this server takes no writes: it is a standby, or read-only');
  }
}

/** Whether a transaction that begins now may write. */
export const IS_WRITABLE = `NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean`;

/** @throws NotWritableError for a standby, or a server on which everything is read-only. */
export async function requireWritable(client: Queryable): Promise<void> {
  const { rows } = await client.query<{ isWritable: boolean }>(`SELECT ${IS_WRITABLE} AS "isWritable"`);
  if (!rows[0]?.isWritable) throw new NotWritableError();
}
