import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ApiError, DependencyUnavailableError, StartupError } from '../contracts/errors.js';
import type { Database } from '../db/db.js';
import { type ImportedFile, importFile } from '../imports/importFile.js';
import { createImportService, type ImportService } from '../imports/imports.js';
import { savedMapping, saveMapping } from '../imports/mappings.js';
import type { ImportDetails } from '../imports/progressAnswer.js';
import type { CsvMapping } from '../intervalFiles/csv/mapping.js';
import { outliveTerminal } from '../local/terminal.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { isWorkerAlive } from './backfillFollow.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, json, leaveWith, requirePrepared, say } from './commandLine.js';
import { type ImportCommand, importCommand, USAGE } from './importArguments.js';
import {
  endReport,
  leftRunningReport,
  NO_WORKER,
  percentDone,
  progressText,
  takenReport,
} from './importReport.js';
import { filesIn } from './intervalFileArguments.js';
import { onInterrupt } from './onInterrupt.js';
import { openProgress } from './progressBar.js';

const LOOK_EVERY_MS = 500;

/** `npm run import -- FILE…`: reads files of interval data, and shows how far the workers are with writing them. */
outliveTerminal();
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const command = await importCommand(args);
  const config = loadConfig(process.env, { command: 'import' });
  const database = await openCommandDatabase(config, 'gridlens-import');
  const schema = await requirePrepared(database, config);
  const service = createImportService({ database, maxReadsPerSecond: config.maxReadsPerSecond });
  const code =
    command.action === 'cancel'
      ? await cancel(service, command.importId, command.asJson)
      : await take(command, { database, schema, service, readsRetentionDays: config.readsRetentionDays });
  await database.end();
  process.exit(code);
});

async function cancel(service: ImportService, importId: number, asJson: boolean): Promise<number> {
  const ended = await service.cancel(importId).catch((error: unknown) => {
    throw error instanceof ApiError ? new StartupError(`There is no import ${importId}.`) : error;
  });
  await say(process.stdout, asJson ? json(ended) : endReport(ended));
  return 0;
}

interface Surroundings {
  database: Database;
  schema: Awaited<ReturnType<typeof requirePrepared>>;
  service: ImportService;
  readsRetentionDays: number | undefined;
}

/** Returns the exit code: 0 when all of every file is written, or on a dry run could be. */
async function take(
  command: Extract<ImportCommand, { action: 'import' }>,
  { database, schema, service, readsRetentionDays }: Surroundings,
): Promise<number> {
  const { paths, registers, feederId, feederColumn, asJson, waits, dryRun, mappingName, toSave, ...options } =
    command;
  if (mappingName !== undefined) options.given = await mappingNamed(database, command.tenantId, mappingName);
  if (feederColumn !== undefined) options.given = { ...options.given, feederColumn };
  if (toSave !== undefined && !dryRun)
    await saveMapping(database, command.tenantId, toSave.name, toSave.yaml);
  const taken: ImportedFile[] = [];
  const underWay: number[] = [];
  onInterrupt(() => process.stderr.write(leftRunningReport(underWay)));
  const requestId = `npm run import ${randomUUID()}`;
  for (const path of paths)
    for (const file of await filesIn(path)) {
      const register = registers ? { feederId } : undefined;
      const one: ImportedFile =
        'open' in file
          ? await importFile(file, {
              ...{ ...options, database, schema, register, dryRun, readsRetentionDays, requestId },
              now: new Date(),
            })
          : file;
      taken.push(one);
      if (one.importId !== undefined) underWay.push(one.importId);
      if (!asJson) await say(process.stdout, takenReport(one));
    }
  const isTaken = taken.every(({ refusal, open }) => refusal === undefined && open === undefined);
  if (underWay.length > 0 && !(await isWorkerAlive(database))) await say(process.stderr, `${NO_WORKER}\n`);
  const ended: ImportDetails[] = [];
  if (waits)
    for (const importId of underWay) {
      ended.push(await follow(database, service, importId, asJson));
      if (!asJson) await say(process.stdout, endReport(ended.at(-1) as ImportDetails));
    }
  if (asJson) await say(process.stdout, json({ files: taken, imports: ended }));
  return isTaken && ended.every(({ state }) => state === 'done') ? 0 : 1;
}

/** @throws StartupError where no mapping of that name is saved. */
async function mappingNamed(
  database: Database,
  tenantId: string,
  name: string,
): Promise<Partial<CsvMapping>> {
  const saved = await savedMapping(database, tenantId, name);
  if (saved) return saved.fields;
  throw new StartupError(
    `No mapping ${name} is saved for tenant ${tenantId}: save one with --mapping FILE.yaml --save-mapping ${name}, or name the file as ./${name}.`,
  );
}

/** Shows an import until it is over, through outages of Postgres too. */
async function follow(
  database: Database,
  service: ImportService,
  importId: number,
  isQuiet: boolean,
): Promise<ImportDetails> {
  const display = isQuiet ? undefined : openProgress(process.stdout);
  try {
    for (;;) {
      try {
        const found = await service.find(importId);
        if (!found) throw new StartupError(`Import ${importId} is not there any more.`);
        if (found.finishedAt !== null) return found;
        display?.show(percentDone(found), progressText(found, await isWorkerAlive(database)));
      } catch (error) {
        if (!(error instanceof DependencyUnavailableError)) throw error;
        display?.show(0, error.message);
      }
      await setTimeout(LOOK_EVERY_MS);
    }
  } finally {
    display?.close();
  }
}
