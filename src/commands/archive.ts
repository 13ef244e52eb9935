import { dayManifest, daysIn, requireAsManifest } from '../archive/dayFolder.js';
import { restoreDay } from '../archive/restore.js';
import { StartupError } from '../contracts/errors.js';
import { loadConfig } from '../process/config.js';
import { runProcess } from '../process/lifecycle.js';
import { openCommandDatabase } from './commandDatabase.js';
import { asksForHelp, commandLine, json, leaveWith, requirePrepared } from './commandLine.js';

const USAGE = `npm run archive -- list [--json]
npm run archive -- verify [--day 2026-01-31] [--json]
npm run archive -- restore --day 2026-01-31 [--json]

Days of reads that were archived in ARCHIVE_DIR before retention dropped them. verify reads them and holds them to their manifests.
restore puts a day's reads back into the table, where they stay for a week; reads that are there stay as they are.`;

const ACTIONS = ['list', 'verify', 'restore'] as const;

/** `npm run archive`: what is archived, whether it is whole, and a day of it back. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { action, day, asJson } = options(args);
  const config = loadConfig(process.env, { command: 'archive' });
  const folder = config.archiveDir;
  if (folder === undefined)
    throw new StartupError('ARCHIVE_DIR is not set: it names the folder that days of reads are archived in.');
  if (action === 'restore') {
    const database = await openCommandDatabase(config, 'gridlens-archive');
    const schema = await requirePrepared(database, config);
    if (!schema.reads.own)
      throw new StartupError(
        'The table of reads is not one that GridLens made: nothing is archived or restored.',
      );
    const restored = await restoreDay(database, folder, day as string);
    await database.end();
    const { reads, there } = restored;
    return leaveWith(
      asJson ? json(restored) : `${day}: ${reads} reads are back in the table; ${there} were there.\n`,
    );
  }
  const days = day === undefined ? await daysIn(folder) : [day];
  const found = await Promise.all(days.map((one) => dayManifest(folder, one).catch(wrong(one))));
  if (action === 'verify')
    for (const one of found)
      if (one.manifest)
        await requireAsManifest(folder, one).catch((error: Error) =>
          Object.assign(one, { trouble: error.message }),
        );
  const shown = found.map(({ files, checksum, ...one }) => ({
    ...one,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  }));
  const code = found.every((one) => !('trouble' in one)) ? 0 : 1;
  if (asJson) return leaveWith(json({ folder, days: shown }), code);
  const lines = shown.map((one) => {
    if ('trouble' in one) return `${one.day}  ${one.trouble}`;
    return `${one.day}  ${one.rows} reads  ${one.bytes} bytes  ${one.kwh} kWh${action === 'verify' ? '  as it was written' : ''}`;
  });
  return leaveWith(
    `${[...lines, lines.length === 0 ? `${folder} has no archived day.` : ''].join('\n').trimEnd()}\n`,
    code,
  );
});

/** A day that has no whole archive is listed with what is wrong. */
function wrong(day: string) {
  return (error: Error) => ({
    ...{
      manifest: undefined,
      version: 1 as const,
      day,
      rows: 0,
      kwh: '0',
      deliveredKwh: '0',
      receivedKwh: '0',
    },
    ...{ checksum: '', files: [] as { bytes: number }[], trouble: error.message },
  });
}

function options(args: string[]): {
  action: (typeof ACTIONS)[number];
  day: string | undefined;
  asJson: boolean;
} {
  const { parse, wrong: refuse } = commandLine(USAGE);
  const { values, positionals } = parse({
    args,
    allowPositionals: true,
    options: { day: { type: 'string' }, json: { type: 'boolean' } },
  });
  const action = ACTIONS.find((one) => one === positionals[0]);
  if (action === undefined || positionals.length > 1)
    return refuse(`Say what to do with the archive: ${ACTIONS.join(', ')}.`);
  const { day } = values;
  if (day !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(day))
    return refuse('--day must be a UTC day, for example 2026-01-31.');
  if (action === 'restore' && day === undefined) return refuse('Name the day to restore: --day 2026-01-31.');
  return { action, day, asJson: values.json ?? false };
}
