import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DependencyUnavailableError, StartupError } from '../contracts/errors.js';
import type { Database } from '../db/db.js';
import { outliveTerminal } from '../local/terminal.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { createVeeService, type VeeService } from '../vee/vee.js';
import { isWorkerAlive } from './backfillFollow.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, json, leaveWith, requirePrepared, say } from './commandLine.js';
import { onInterrupt } from './onInterrupt.js';
import { USAGE, type VeeCommand, veeCommand, veeRefusal } from './veeArguments.js';
import { type RunAnswer, runReport, startedReport } from './veeReport.js';

const LOOK_EVERY_MS = 500;
const NO_WORKER = 'No worker is running: nothing is validated until one is (npm start, or npm run worker).';

/** `npm run vee`: has a span validated, and shows what was found; the workers do the validating. */
outliveTerminal();
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const command = veeCommand(args);
  const config = loadConfig(process.env, { command: 'vee' });
  const database = await openCommandDatabase(config, 'gridlens-vee');
  const schema = await requirePrepared(database, config);
  const { readsRetentionDays } = config;
  const service = createVeeService({ database, schema, readsRetentionDays, now: () => new Date() });
  const code = await validate(database, service, command);
  await database.end();
  process.exit(code);
});

/** Returns the exit code: 0 when the run is done, or accepted where nobody waits. */
async function validate(
  database: Database,
  service: VeeService,
  { wanted, waits, asJson }: VeeCommand,
): Promise<number> {
  const started = await service.startRun(wanted, `npm run vee ${randomUUID()}`).catch((error: unknown) => {
    throw veeRefusal(error);
  });
  onInterrupt(() => process.stderr.write(`Run ${started.runId} goes on without this command.\n`));
  if (!asJson) await say(process.stdout, startedReport(started));
  for (const warning of started.warnings ?? []) await say(process.stderr, `${warning}\n`);
  if (!(await isWorkerAlive(database))) await say(process.stderr, `${NO_WORKER}\n`);
  if (!waits) {
    if (asJson) await say(process.stdout, json(started));
    return 0;
  }
  const ended = await follow(service, started.runId);
  await say(process.stdout, asJson ? json(ended) : runReport(ended));
  return ended.state === 'done' ? 0 : 1;
}

/** Waits until a run is over, through outages of Postgres too. */
async function follow(service: VeeService, runId: number): Promise<RunAnswer> {
  for (;;) {
    try {
      const found = await service.find(runId);
      if (!found) throw new StartupError(`Run ${runId} is not there any more.`);
      if (found.state === 'done' || found.state === 'failed') return found;
    } catch (error) {
      if (!(error instanceof DependencyUnavailableError)) throw error;
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}
