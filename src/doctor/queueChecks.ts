import { enabledTenants } from '../automatic/autoConfig.js';
import type { Database } from '../db/db.js';
import type { Config } from '../process/config.js';
import type { PostgresPlaces } from '../process/postgresPlaces.js';
import { openConnections } from '../queues/queueConnections.js';
import { redisFacts } from '../queues/redis/redisFacts.js';
import { requireRedis } from '../queues/redis/requireRedis.js';
import { openTickQueue, type TickQueue } from '../queues/tickQueue.js';
import { clockTrouble } from '../status/clockWatch.js';
import { checked, type Finding, fail, notChecked, ok, type Verdict, warn } from './checks.js';

const REDIS_CHECKS = ['Redis eviction', 'Redis persistence', 'Redis clock'] as const;

/** What is found of the Redis of REDIS_URL. */
export async function redisChecks(
  redisUrl: string,
  prefix: string,
  toleranceSeconds: number,
): Promise<Finding[]> {
  let server: Awaited<ReturnType<typeof requireRedis>> | undefined;
  const reached = await checked('Redis', async () => {
    server = await requireRedis(redisUrl, prefix);
    return ok(
      `Redis ${/^redis_version:(\S+)/m.exec(server.versionInfo)?.[1] ?? ''} answers (${server.target.kind}).`,
    );
  });
  if (server === undefined) return [reached, ...notChecked(REDIS_CHECKS, 'Redis cannot be used')];
  const found = server;
  let facts: ReturnType<typeof redisFacts> | undefined;
  const factsOf = () => {
    facts ??= redisFacts(found);
    return facts;
  };
  const [evicting, persisting, clocked] = REDIS_CHECKS;
  return [
    reached,
    await checked(evicting, async () => eviction(found.evictionPolicy)),
    await checked(persisting, async () => persistence(await factsOf())),
    await checked(clocked, async () => redisClock((await factsOf()).clockDifferenceMs, toleranceSeconds)),
  ];
}

function eviction(policy: string | undefined): Verdict {
  if (policy === 'noeviction') return ok('maxmemory-policy is noeviction.');
  if (policy === undefined)
    return warn('Redis does not say its maxmemory-policy: see to it that it is noeviction.');
  return fail(
    `maxmemory-policy is ${policy}, so Redis may throw jobs away when its memory is full: set it to noeviction.`,
  );
}

function persistence({
  persistence: kind,
  isFailingToSave,
}: Awaited<ReturnType<typeof redisFacts>>): Verdict {
  if (isFailingToSave)
    return fail('Redis cannot write to its disk: look at its log, and at the space on its disk.');
  if (kind === 'log') return ok('each write goes to the append-only file.');
  if (kind === 'snapshots')
    return warn(
      'Redis makes snapshots alone, and loses the jobs after the last one when it stops: set appendonly to yes.',
    );
  if (kind === 'none')
    return warn('Redis writes nothing to disk, and loses the queue when it stops: set appendonly to yes.');
  return warn('Redis does not say whether it writes to disk: see to it that its persistence is on.');
}

function redisClock(differenceMs: number, toleranceSeconds: number): Verdict {
  if (clockTrouble(differenceMs, toleranceSeconds) === undefined)
    return ok(`this machine's clock and that of Redis agree within ${toleranceSeconds} s.`);
  const seconds = Math.round(Math.abs(differenceMs) / 1_000);
  return fail(
    `this machine's clock is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} that of Redis: set the wrong one right (NTP).`,
  );
}

/** Whether each tenant whose automatic mode is on has its scheduler, and no other tenant has one. */
export async function schedulers(
  database: Database,
  places: PostgresPlaces,
  { redisUrl }: Config,
): Promise<Verdict> {
  const wanted = await enabledTenants(database);
  const onError = (): void => undefined; // The call that fails says the same.
  const connections = await openConnections({
    redisUrl,
    databaseUrl: places.queue?.url ?? places.databaseUrl,
    // The one that is listened on takes one of them.
    queueDatabase: { ...places.queue, maxConnections: 2 },
    prefix: places.redisPrefix,
    looksOnly: true,
    onError,
  });
  const ticks = openTickQueue(connections, onError);
  try {
    await connections.ready();
    return await compare(ticks, wanted);
  } finally {
    await ticks.close();
    await connections.close();
  }
}

async function compare(
  ticks: TickQueue,
  wanted: Awaited<ReturnType<typeof enabledTenants>>,
): Promise<Verdict> {
  const lacking: string[] = [];
  for (const scheduler of wanted)
    if ((await ticks.inspect(scheduler, new Date())) !== 'kept') lacking.push(scheduler.tenantId);
  if (lacking.length > 0)
    return fail(
      `the scheduler of ${shown(lacking)} is gone or wrong: start a worker, which mends it within 30 s (npm run worker).`,
    );
  const enabled = new Set(wanted.map(({ tenantId }) => tenantId));
  const spare = (await ticks.tenants()).filter((tenantId) => !enabled.has(tenantId));
  if (spare.length > 0)
    return warn(
      `${shown(spare)} has a scheduler though its automatic mode is off: start a worker, which removes it within 30 s.`,
    );
  if (wanted.length === 0) return ok('automatic mode is on for no tenant.');
  return ok(`automatic mode is on for ${shown(wanted.map(({ tenantId }) => tenantId))}, with its scheduler.`);
}

const MOST_NAMED = 5;

function shown(tenantIds: readonly string[]): string {
  const more = tenantIds.length - MOST_NAMED;
  return tenantIds.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} others` : '');
}
