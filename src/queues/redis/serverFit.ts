import type { RedisTarget } from './redisUrl.js';

/** BullMQ's scripts need Redis 6.2; Valkey reports a compatible version in the same field. */
const MINIMUM_REDIS = [6, 2] as const;
/** Lines of INFO that BullMQ decides by. */
const VERSION_LINES = /^(redis_version|valkey_version|dragonfly_version|server):.*$/gm;

/** What a server says of itself. */
export interface ServerInfo {
  mode: 'server' | 'cluster' | 'sentinel';
  /** Address of the primary, of a replica; undefined of others. */
  primary: string | undefined;
  version: string;
  /** The lines by which BullMQ decides what the server can do. */
  versionInfo: string;
  /** What it does when its memory is full; undefined where it does not say. */
  evictionPolicy: string | undefined;
}

/** Reads the answer to INFO. */
export function parseInfo(info: string): ServerInfo {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const isCluster = field('redis_mode') === 'cluster' || field('cluster_enabled') === '1';
  const isReplica = !isCluster && field('role') === 'slave';
  return {
    mode: field('redis_mode') === 'sentinel' ? 'sentinel' : isCluster ? 'cluster' : 'server',
    primary: isReplica ? `${field('master_host')}:${field('master_port')}` : undefined,
    version: field('redis_version') ?? '0',
    versionInfo: (info.match(VERSION_LINES) ?? []).join('\r\n'),
    evictionPolicy: field('maxmemory_policy'),
  };
}

/** Why the queue cannot be on this server, as the rest of a sentence; undefined when it can. */
export function unfitness({ mode, primary, version }: ServerInfo, target: RedisTarget): string | undefined {
  if (mode === 'sentinel')
    return 'is a Sentinel: write redis+sentinel://host:26379/<name of the primary> in REDIS_URL';
  if (target.kind === 'cluster' && mode !== 'cluster')
    return 'is no node of a cluster, which several hosts in REDIS_URL mean: name the one server, or the Sentinels';
  if (primary !== undefined)
    return `is a replica of ${primary}: name the primary in REDIS_URL, or the Sentinels (redis+sentinel://)`;
  if (isOlder(version, MINIMUM_REDIS))
    return `is version ${version}: BullMQ needs ${MINIMUM_REDIS.join('.')} or newer (REDIS_URL)`;
  if (mode === 'cluster' && target.db !== 0)
    return `is a cluster, which has no database ${target.db}: leave the number out of REDIS_URL`;
  return undefined;
}

function isOlder(version: string, minimum: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < minimum[0] || (major === minimum[0] && minor < minimum[1]);
}
