/** Where one Redis server, Sentinel or cluster node listens. */
export interface RedisHost {
  host: string;
  port: number;
}

/** What `REDIS_URL` says: the kind of deployment, where it is, and who logs in. */
export interface RedisTarget {
  /**
   * `server` may turn out to be a node of a cluster, which only the server itself can tell; `cluster` is said by
   * naming several hosts.
   */
  kind: 'server' | 'cluster' | 'sentinel';
  hosts: readonly RedisHost[];
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  /** Number of the database; a cluster has none but 0. */
  db: number;
  /** Name of the primary that the Sentinels watch; undefined without Sentinel. */
  primaryName: string | undefined;
  sentinelUsername: string | undefined;
  sentinelPassword: string | undefined;
}

/** `REDIS_URL` is not one; the message completes a sentence that begins with the variable's name. */
export class RedisUrlError extends Error {
  override name = 'RedisUrlError';
}

const FORMS =
  'must be redis:// or rediss:// with a host (several hosts, separated by commas, are a cluster), or redis+sentinel:// or rediss+sentinel:// with hosts and the name of the primary';
const ENCODE =
  'must have special characters of its user and password percent-encoded: / is %2F, # is %23, ? is %3F, @ is %40, : is %3A, % is %25';
const DEFAULT_PORTS = { redis: 6379, sentinel: 26379 };
const LAST_PORT = 65_535;

/**
 * Parses `REDIS_URL`. The forms are those of redis-py and its relatives:
 * `redis[s]://[user:password@]host[:port][,host[:port]…][/db]` and
 * `redis[s]+sentinel://[user:password@]host[:port][,…]/primary[/db][?sentinel_username=…&sentinel_password=…]`.
 *
 * WHATWG's URL is not used: it takes no list of hosts, and reads a raw `#` or `/` of a password as the host's end.
 *
 * @throws RedisUrlError what is wrong and how it is written; no part of the value is in it but names of parameters.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const form = /^(redis|rediss)(\+sentinel)?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(url);
  if (!form) throw new RedisUrlError(FORMS);
  const [, scheme, sentinel, authority = '', path = '', query = '', fragment] = form;
  if (`${path}${query}${fragment ?? ''}`.includes('@')) throw new RedisUrlError(ENCODE);
  if (fragment !== undefined) throw new RedisUrlError(`must have no # in it, or ${ENCODE}`);
  const isSentinel = sentinel !== undefined;
  const at = authority.lastIndexOf('@');
  const login = loginOf(at < 0 ? undefined : authority.slice(0, at));
  const hosts = hostsOf(authority.slice(at + 1), isSentinel ? DEFAULT_PORTS.sentinel : DEFAULT_PORTS.redis);
  const parameters = parametersOf(query, isSentinel);
  const { primaryName, database } = pathOf(path, isSentinel);
  const isCluster = !isSentinel && hosts.length > 1;
  const db = databaseOf(parameters.get('db') ?? database);
  if (isCluster && db !== 0)
    throw new RedisUrlError(
      'must name no database other than 0: a cluster, as several hosts mean, has no other',
    );
  return {
    kind: isSentinel ? 'sentinel' : isCluster ? 'cluster' : 'server',
    hosts,
    tls: scheme === 'rediss',
    ...login,
    db,
    primaryName,
    sentinelUsername: parameters.get('sentinel_username'),
    sentinelPassword: parameters.get('sentinel_password'),
  };
}

/** Why `url` is no REDIS_URL, as the rest of a sentence; undefined when it is one. */
export function redisUrlProblem(url: string): string | undefined {
  try {
    parseRedisUrl(url);
    return undefined;
  } catch (error) {
    if (error instanceof RedisUrlError) return error.message;
    throw error;
  }
}

/** The hosts as messages name them, without user and password. */
export function shownHosts({ hosts, primaryName }: RedisTarget): string {
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  return primaryName === undefined ? list : `${list}/${primaryName}`;
}

/** A REDIS_URL as a person may see it: without user, password and parameters. @throws RedisUrlError when it is none. */
export function shownRedisUrl(url: string): string {
  const target = parseRedisUrl(url);
  const scheme = `${target.tls ? 'rediss' : 'redis'}${target.kind === 'sentinel' ? '+sentinel' : ''}`;
  return `${scheme}://${shownHosts(target)}${target.db === 0 ? '' : `/${target.db}`}`;
}

function loginOf(userInfo: string | undefined): Pick<RedisTarget, 'username' | 'password'> {
  if (userInfo === undefined) return { username: undefined, password: undefined };
  const colon = userInfo.indexOf(':');
  const [user, password] =
    colon < 0 ? [userInfo, undefined] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  return { username: decoded(user) || undefined, password: password ? decoded(password) : undefined };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone % is a raw character, not an escape.
    throw new RedisUrlError(ENCODE);
  }
}

function hostsOf(list: string, defaultPort: number): RedisHost[] {
  return list.split(',').map((entry) => {
    const form = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(entry);
    const host = form?.[1] ?? form?.[2];
    const port = form?.[3] === undefined ? defaultPort : Number(form[3]);
    if (host === undefined || port < 1 || port > LAST_PORT) throw new RedisUrlError(FORMS);
    return { host, port };
  });
}

function pathOf(path: string, isSentinel: boolean) {
  const parts = path.split('/').slice(1).map(decoded);
  while (parts.at(-1) === '') parts.pop();
  if (!isSentinel) {
    if (parts.length > 1)
      throw new RedisUrlError('must have nothing but the number of a database after its host');
    return { primaryName: undefined, database: parts[0] };
  }
  const [primaryName, database, ...rest] = parts;
  if (primaryName === undefined || primaryName === '' || rest.length > 0)
    throw new RedisUrlError(
      'must name the primary that the Sentinels watch after their hosts, as in redis+sentinel://host:26379/mymaster, with nothing after it but the number of a database',
    );
  return { primaryName, database };
}

function databaseOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,6}$/.test(text))
    throw new RedisUrlError(
      'must end with the number of a database, as in redis://host:6379/0, or without one',
    );
  return Number(text);
}

function parametersOf(query: string, isSentinel: boolean): Map<string, string> {
  const known = isSentinel ? ['db', 'sentinel_username', 'sentinel_password'] : ['db'];
  const parameters = new Map<string, string>();
  for (const entry of query.split('&').filter((part) => part !== '')) {
    const [name = '', ...value] = entry.split('=');
    if (!known.includes(name))
      throw new RedisUrlError(`must have no parameters but ${known.join(', ')}: another would be ignored`);
    parameters.set(name, decoded(value.join('=')));
  }
  return parameters;
}
