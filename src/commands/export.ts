import { stat } from 'node:fs/promises';
import { StartupError } from '../contracts/errors.js';
import type { Database } from '../db/db.js';
import { exportDays } from '../exports/dayFiles.js';
import { type ExportPlan, exportFile, planExport } from '../exports/exports.js';
import { writeWhole } from '../exports/oneFile.js';
import { outliveTerminal } from '../local/terminal.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, json, leaveWith, requirePrepared, say, startedFrom } from './commandLine.js';
import { byOptions, type ExportCommand, exportCommand, USAGE } from './exportArguments.js';
import { exportReport } from './exportReport.js';

/** Ten years. A day has a file of its own, so nothing else bounds the span. */
const MOST_DAYS = 3_660;

/** `npm run export`: reads as files. */
outliveTerminal();
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const command = exportCommand(args, startedFrom('export'));
  const config = loadConfig(process.env, { command: 'export' });
  const database = await openCommandDatabase(config, 'gridlens-export');
  await requirePrepared(database, config);
  const report = await byOptions(async () => {
    const plan = await planExport(database, command.asked, MOST_DAYS);
    return command.isFolder ? days(command, plan, database) : one(command, plan, database);
  });
  await database.end();
  return leaveWith(report);
});

async function days(
  { out, resumes, asJson }: ExportCommand,
  plan: ExportPlan,
  database: Database,
): Promise<string> {
  const options = { folder: out, resumes, now: () => new Date() };
  let written = 0;
  const manifest = await exportDays(database, plan, options, (day, wasThere) => {
    if (!wasThere) written += 1;
    if (!asJson)
      void say(process.stderr, `${day.day}  ${day.reads} values${wasThere ? ', there before' : ''}\n`);
  });
  if (asJson) return json({ folder: out, written, ...manifest });
  const there = manifest.days.length - written;
  const title = `Exported ${plan.tenantId} to ${out}, ${written} ${written === 1 ? 'day' : 'days'}${there > 0 ? ` and ${there} that were there` : ''}`;
  return exportReport(title, manifest.days);
}

async function one({ out, asJson }: ExportCommand, plan: ExportPlan, database: Database): Promise<string> {
  const before = await stat(out).catch(() => undefined);
  if (before && !before.isFile())
    throw new StartupError(`${out} is no file: name a file, or a folder with / at its end.`);
  const whole = await writeWhole(out, exportFile(database, plan, plan.days, new Date()), false);
  if (asJson) return json({ file: out, ...whole });
  return exportReport(`Exported ${plan.tenantId} to ${out}`, [whole]);
}
