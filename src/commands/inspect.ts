import { type Inspection, inspectFile } from '../imports/inspectFile.js';
import { runProcess } from '../process/lifecycle.js';
import { asksForHelp, commandLine, json, say } from './commandLine.js';
import { inspectionReport } from './inspectReport.js';
import { filesIn, mappingFrom, zoneOf } from './intervalFileArguments.js';

const USAGE = `npm run inspect -- FILE… [--mapping FILE.yaml] [--zone ZONE] [--json]

Says what files of interval data hold: their format, found by content (CSV, Green Button XML, NEM12, CMEP, and gzip or zip of
them), reads and energy by meter, day and channel, and which rows cannot be read and why. Nothing is written, and no database
is asked.

  --mapping FILE.yaml  what a CSV file means, where its text does not say it; the report has one to begin with
  --zone ZONE          whose days are counted by, such as Europe/Berlin; else that of the mapping, or UTC
  --json               the report as one JSON document

Ends with 1 where a file could not be read whole or does not say what it means.`;

const line = commandLine(USAGE);

/** `npm run inspect -- FILE…`: what files of interval data hold. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leave(`${USAGE}\n`, true);
  const { values, positionals } = line.parse({
    args,
    allowPositionals: true,
    options: { mapping: { type: 'string' }, zone: { type: 'string' }, json: { type: 'boolean' } },
  });
  if (positionals.length === 0) line.wrong('Name at least one file.');
  const given = values.mapping === undefined ? {} : await mappingFrom(values.mapping);
  const options = {
    given,
    zone: values.zone === undefined ? undefined : zoneOf(values.zone, line.wrong),
    now: new Date(),
  };
  const inspections: Inspection[] = [];
  for (const path of positionals)
    for (const file of await filesIn(path))
      inspections.push('open' in file ? await inspectFile(file, options) : file);
  const isWhole = inspections.every(({ report }) => report !== undefined);
  return leave(
    values.json ? json({ files: inspections }) : inspections.map(inspectionReport).join('\n'),
    isWhole,
  );
});

async function leave(report: string, isWhole: boolean): Promise<never> {
  await say(process.stdout, report);
  process.exit(isWhole ? 0 : 1);
}
