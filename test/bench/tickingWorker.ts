/**
 * A worker process whose ticks come every four seconds and not every quarter hour: each writes the tenant's next interval, and
 * its lateness is what the parent is told. Started by `browsers.ts`.
 */
import pino from 'pino';
import { loadConfig } from '../../src/process/config.js';
import { createContext, WORKER_POOL } from '../../src/process/context.js';
import { openConnections } from '../../src/queues/queueConnections.js';
import { openTickQueue } from '../../src/queues/tickQueue.js';
import { writeHistory } from '../support/history.js';

const [url = '', tenantId = '', meterCount = '', firstInterval = ''] = process.argv.slice(2);
const log = pino({ level: 'silent' });
const onError = (error: Error): void => void process.stderr.write(`${error.message}\n`);

const env = { DATABASE_URL: url, GRIDLENS_API_KEY: 'bench-key-0123456789' };
const config = loadConfig(env, { command: 'worker', cwd: '/nonexistent' });
const context = await createContext('worker', config, WORKER_POOL, { log });
const connections = await openConnections({ redisUrl: undefined, databaseUrl: url, prefix: '', onError });
const ticks = openTickQueue(connections, onError, {
  patterns: { 15: '*/4 * * * * *', 60: '*/8 * * * * *' },
});
let next = Number(firstInterval);
ticks.work(
  {
    async onTick(_tenant, slot) {
      process.send?.(Date.now() - slot.getTime());
      const from = new Date(next);
      next += 900_000;
      await writeHistory(context.database, {
        ...{ tenantId, meterCount: Number(meterCount), feederCount: 25, from, quarterHours: 1 },
      });
    },
    onHeartbeat: async () => undefined,
  },
  { onError },
);
await connections.ready();
await ticks.ensure({ tenantId, intervalMinutes: 15 }, new Date());
process.on('disconnect', () => process.exit(0));
