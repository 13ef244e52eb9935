import { type BackfillService, type BackfillWanted, createBackfillService } from '../backfill/backfill.js';
import { ApiError } from '../contracts/errors.js';
import type { Database } from '../db/db.js';
import { outliveTerminal } from '../local/terminal.js';
import { type Config, loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { createPublishPlanner } from '../publishing/publishPlanner.js';
import { backfillCommand, refusal, USAGE } from './backfillArguments.js';
import { followBackfill, isWorkerAlive } from './backfillFollow.js';
import { acceptedReport, cancelReport, endReport, leftRunningReport, NO_WORKER } from './backfillReport.js';
import { openCommandDatabase } from './commandDatabase.js';
import { json, leaveWith, requirePrepared, say } from './commandLine.js';
import { onInterrupt } from './onInterrupt.js';
import { openProgress, type ProgressDisplay } from './progressBar.js';

/** `npm run backfill`: fills a span of a tenant's past, and shows how far it is; the workers do the filling. */
outliveTerminal();
await runProcess(async () => {
  const command = backfillCommand(process.argv.slice(2));
  if (command.action === 'help') return leaveWith(`${USAGE}\n`);
  const config = loadConfig(process.env, { command: 'backfill' });
  const database = await openCommandDatabase(config, 'gridlens-backfill');
  const service = await backfillService(database, config);
  const code =
    command.action === 'cancel'
      ? await cancel(service, command.tenantId, command.asJson)
      : await fill(database, service, command.wanted, command.asJson);
  await database.end();
  process.exit(code);
});

async function backfillService(database: Database, config: Config): Promise<BackfillService> {
  const schema = await requirePrepared(database, config);
  const { maxReadsPerSecond, readsRetentionDays } = config;
  const planner = createPublishPlanner({ database, schema });
  return createBackfillService({
    database,
    planner,
    maxReadsPerSecond,
    readsRetentionDays,
    now: () => new Date(),
  });
}

async function cancel(service: BackfillService, tenantId: string, asJson: boolean): Promise<number> {
  const active = await service.active(tenantId);
  const cancelled = await Promise.all(active.map((backfillId) => service.cancel(backfillId)));
  await say(process.stdout, asJson ? json({ tenantId, cancelled }) : cancelReport(tenantId, cancelled));
  return 0;
}

/** Returns the exit code: 0 when all is there. */
async function fill(
  database: Database,
  service: BackfillService,
  wanted: BackfillWanted,
  asJson: boolean,
): Promise<number> {
  const created = await service.create(wanted, 'npm run backfill').catch((error: unknown) => {
    throw error instanceof ApiError ? refusal(error, wanted.from) : error;
  });
  let display: ProgressDisplay | undefined;
  onInterrupt(() => {
    display?.close();
    process.stderr.write(leftRunningReport(created.tenantId));
  });
  const others = (await service.active(created.tenantId)).filter((id) => id !== created.backfillId).length;
  if (!asJson) await say(process.stdout, acceptedReport(created, others));
  if (!(await isWorkerAlive(database))) await say(process.stderr, `${NO_WORKER}\n`);
  display = asJson ? undefined : openProgress(process.stdout);
  const show = display?.show ?? (() => undefined);
  const ended = await followBackfill(database, service, created.backfillId, show);
  display?.close();
  if (asJson) await say(process.stdout, json(ended));
  else await say(ended.state === 'done' ? process.stdout : process.stderr, endReport(ended));
  return ended.state === 'done' ? 0 : 1;
}
