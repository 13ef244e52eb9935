import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisTarget } from './redisUrl.js';
import { type CommandSender, RefusalPause } from './refusalPause.js';

/** A Redis that a start has looked at. */
export interface RedisServer {
  target: RedisTarget;
  /** The lines of its INFO that BullMQ decides by: its version, and whose it is. */
  versionInfo: string;
  /** What it does when its memory is full; only `noeviction` keeps a queue whole. Undefined where it does not say. */
  evictionPolicy: string | undefined;
}

export type QueueClient = Redis | Cluster;

/** ioredis's options without the one that changes the shape of answers, which its types do not take as optional. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** A failover is noticed within this, ms, by asking for the new address again and again. */
const RECONNECT_CAP_MS = 500;
/** TCP and TLS together: a slow link takes its time, an address that drops packets must not take ten seconds. */
const CONNECT_MS = 5_000;
/**
 * A connection on which an answer is owed and nothing comes for this long is dead, though nobody closed it (a cable, a
 * firewall, a frozen host): it is made anew. TCP's own keep-alive would take eleven minutes.
 */
const PRODUCER_SILENCE_MS = 5_000;
/** The same where a worker waits for jobs, for up to 10 s at a time. */
const WORKER_SILENCE_MS = 15_000;
/** While a slot moves, and until a failover is known to all nodes: 16 tries, so 1.6 s, then the caller hears of it. */
const REDIRECT_MS = 100;
const SLOTS_MS = 2_000;
/** A read-only server is left for a new look at the address at most this often, ms. */
const READONLY_RECONNECT_MS = 2_000;

const retryStrategy = (attempt: number): number => Math.min(attempt * 100, RECONNECT_CAP_MS);

/**
 * A connection for calls that must fail fast: without an offline queue a command to a lost Redis fails in a
 * millisecond, with the default it hangs until Redis is back.
 *
 * It has no `commandTimeout`: callers have a deadline of their own (withQueueDeadline), and one that hits BullMQ's
 * first command would break a queue for good.
 */
export function createProducerRedis(server: RedisServer, onError: (error: Error) => void): QueueClient {
  const client = connect(server.target, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    socketTimeout: PRODUCER_SILENCE_MS,
  });
  return prepared(client, { server, onError });
}

/** A worker's connection, and what is to be done before the worker closes. */
export interface WorkerRedis {
  client: QueueClient;
  pause: RefusalPause;
}

/** A connection for a BullMQ worker: it blocks for jobs, so it must wait for Redis however long. */
export function createWorkerRedis(server: RedisServer, onError: (error: Error) => void): WorkerRedis {
  const client = connect(server.target, { maxRetriesPerRequest: null, socketTimeout: WORKER_SILENCE_MS });
  const pause = new RefusalPause();
  return { client: prepared(client, { server, onError, pause }), pause };
}

function connect(target: RedisTarget, options: ClientOptions): QueueClient {
  const common = { ...options, connectTimeout: CONNECT_MS, reconnectOnError: onceInAWhileWhenReadOnly() };
  if (target.kind !== 'cluster') return new Redis({ ...serverOptions(target), ...common, retryStrategy });
  return new Cluster([...target.hosts], {
    redisOptions: { ...loginOptions(target), ...tlsOptions(target), ...common },
    enableOfflineQueue: options.enableOfflineQueue ?? true,
    ...CLUSTER_OPTIONS,
  });
}

/** Options of every connection to a cluster. */
export const CLUSTER_OPTIONS = {
  clusterRetryStrategy: retryStrategy,
  retryDelayOnMoved: REDIRECT_MS,
  retryDelayOnFailover: REDIRECT_MS,
  retryDelayOnClusterDown: REDIRECT_MS,
  slotsRefreshTimeout: SLOTS_MS,
  // Names stay names, for the certificates and for addresses that change.
  dnsLookup: (address: string, callback: (error: null, address: string) => void) => callback(null, address),
};

/** How one server, or the primary that Sentinels name, is connected to. */
export function serverOptions(target: RedisTarget): ClientOptions {
  const { kind, hosts, tls, db, primaryName, sentinelUsername, sentinelPassword } = target;
  const options: ClientOptions = { ...loginOptions(target), ...tlsOptions(target), db };
  if (kind !== 'sentinel') return { ...options, ...hosts[0] };
  return {
    ...options,
    sentinels: [...hosts],
    name: primaryName ?? '',
    // A primary that is frozen closes no connection: the Sentinels say when another has taken over.
    failoverDetector: true,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(target).tls ?? {} } : {}),
  };
}

export function loginOptions({ username, password }: RedisTarget): ClientOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/**
 * Nodes of a cluster, and primaries that Sentinels name, are often told by address, while their certificates are for
 * the name in REDIS_URL: a certificate for either is taken.
 */
export function tlsOptions({ tls, hosts }: RedisTarget): { tls?: ConnectionOptions } {
  if (!tls) return {};
  const names = hosts.map(({ host }) => host);
  return {
    tls: {
      checkServerIdentity(name, certificate) {
        const refusals = [name, ...names].map((one) => checkServerIdentity(one, certificate));
        return refusals.includes(undefined) ? undefined : refusals[0];
      },
    },
  };
}

/**
 * A server that has become a replica is left, since the address may lead to its successor by now; the command fails.
 * Not at every command: producers would never be connected.
 */
function onceInAWhileWhenReadOnly(): (error: Error) => boolean {
  let lastAt = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    const now = performance.now();
    if (!message.startsWith('READONLY') || now - lastAt < READONLY_RECONNECT_MS) return false;
    lastAt = now;
    return true;
  };
}

interface Preparation {
  server: RedisServer;
  onError: (error: Error) => void;
  pause?: RefusalPause;
}

/**
 * Answers BullMQ's own look at the server's version from what the start has read: BullMQ keeps the promise of its first
 * INFO for ever, also one that was rejected, and says what it thinks of the server on the console. The copies that it
 * makes for itself are prepared in the same way.
 */
function prepared<T extends QueueClient>(client: T, preparation: Preparation): T {
  const { server, onError, pause } = preparation;
  const info = client.info.bind(client) as (...args: unknown[]) => Promise<string>;
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => T;
  client.on('error', onError);
  pause?.watch(client as unknown as CommandSender);
  client.disconnect = endingDisconnect(client);
  return Object.assign(client, {
    // The client's own, before it calls itself ready, comes with a callback.
    info: (...args: unknown[]) =>
      args.some((argument) => typeof argument === 'function')
        ? info(...args)
        : Promise.resolve(server.versionInfo),
    duplicate: (...args: unknown[]) => prepared(duplicate(...args), preparation),
    ...(client instanceof Cluster ? { connect: settlingConnect(client) } : {}),
    ...(client instanceof Redis && server.target.kind === 'sentinel' ? closingOnlyByCaller(client) : {}),
  });
}

/**
 * Disconnects, and ends in any case. A client of ioredis 6.0.0 that is told to disconnect between two tries to connect forgets
 * the next try and says nothing: neither that it has ended nor that the commands that wait have failed. BullMQ's worker,
 * which waits for both, would never be closed. Here the next try is the last one.
 */
function endingDisconnect(client: QueueClient): QueueClient['disconnect'] {
  const disconnect = client.disconnect.bind(client);
  let isLast = false;
  return (reconnect = false) => {
    if (reconnect || client.status !== 'reconnecting') {
      disconnect(reconnect);
      return;
    }
    if (isLast) return;
    isLast = true;
    if (client instanceof Redis) client.once('connecting', () => disconnect());
    else {
      // A cluster's client that is told so while it connects may be silent as well; one that fails to ends by itself.
      client.options.clusterRetryStrategy = () => null;
      client.once('ready', () => disconnect());
    }
  };
}

/**
 * Connects again when the client ends without having been told to. The client of ioredis 6.0.0 ends for good if the Sentinels
 * say that there is a new primary just while the client asks one of them for the address: an API process would refuse
 * every publish from then on.
 *
 * @returns the client's own ways to close, which from then on are the only ones.
 */
function closingOnlyByCaller(client: Redis): Pick<Redis, 'disconnect' | 'quit'> {
  const disconnect = client.disconnect.bind(client);
  const quit = client.quit.bind(client) as () => Promise<'OK'>;
  let isClosed = false;
  client.on('end', () => {
    if (isClosed) return;
    // A failure is told by the client's events, and ends in the next `end`.
    setTimeout(() => isClosed || client.connect().catch(() => undefined), retryStrategy(1));
  });
  return {
    disconnect: (reconnect = false) => {
      isClosed ||= !reconnect;
      disconnect(reconnect);
    },
    quit: () => {
      isClosed = true;
      return quit();
    },
  };
}

/**
 * Connects, and settles in any case. The promise of ioredis 6.0.0 never does where the nodes answer but the cluster is down,
 * as during a failover: the client goes on and becomes ready by itself, and BullMQ's worker, which waits for the promise
 * alone, takes no job ever again.
 */
function settlingConnect(client: Cluster): () => Promise<void> {
  const connect = client.connect.bind(client);
  return () =>
    new Promise<void>((resolve, reject) => {
      const ready = (): void => settle(resolve);
      const ended = (): void => settle(() => reject(new Error('Connection is closed.')));
      const settle = (outcome: () => void): void => {
        client.off('ready', ready);
        client.off('end', ended);
        outcome();
      };
      client.once('ready', ready);
      client.once('end', ended);
      connect().then(ready, (error: unknown) => settle(() => reject(error)));
    });
}
