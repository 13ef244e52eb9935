import type { Disturbance } from '../campaign.js';
import { diskFull, logDiskFull, steppedClock } from './machine.js';
import { troubledPostgres, troubledRedis } from './network.js';
import { overload } from './overload.js';
import { endedSessions, postgresFailover, postgresOutage, postgresStops } from './postgres.js';
import { apiKills, frozenProcesses, workerKills } from './processes.js';
import { queueWiped, redisFailover, redisFrozen, redisOutage, redisRestart } from './queue.js';
import { floods, hostileSockets } from './strangers.js';

/** What `npm run campaign` does to a deployment, by the names of its command line. */
export const DISTURBANCES: Record<string, Disturbance> = {
  'worker-kills': workerKills,
  'api-kills': apiKills,
  'frozen-processes': frozenProcesses,
  'postgres-stops': postgresStops,
  'ended-sessions': endedSessions,
  'postgres-outage': postgresOutage,
  'postgres-failover': postgresFailover,
  'queue-wiped': queueWiped,
  'redis-restart': redisRestart,
  'redis-outage': redisOutage,
  'redis-frozen': redisFrozen,
  'redis-failover': redisFailover,
  'troubled-redis': troubledRedis,
  'troubled-postgres': troubledPostgres,
  'stepped-clock': steppedClock,
  'disk-full': diskFull,
  'log-disk-full': logDiskFull,
  'hostile-sockets': hostileSockets,
  floods,
  overload,
};
