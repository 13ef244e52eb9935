import { MOST_REFUSALS, mappingName } from '../contracts/importRequest.js';
import type { CsvMapping } from '../intervalFiles/csv/mapping.js';
import { commandLine, wholeNumber } from './commandLine.js';
import { mappingFrom, mappingTextFrom, zoneOf } from './intervalFileArguments.js';

export const USAGE = `npm run import -- FILE… --tenant T [--mapping FILE.yaml] [--zone ZONE] [--dry-run]
npm run import -- --cancel ID

Reads files of interval data into the table of reads: CSV, Green Button XML, NEM12, CMEP, gzip or zip of them, and
Parquet that GridLens has exported, found by content. A file is taken whole or not at all; the workers write it, in what live work leaves free of the read limit.

  --dry-run            says what would be written, replaced and refused, by meter and day, and writes nothing
  --mapping FILE.yaml  what a CSV file means, where its text does not say it; npm run inspect has one to begin with.
                       A name without a dot or a slash is one that was saved
  --save-mapping NAME  saves what --mapping FILE.yaml says under a name, for later files of this sender
  --zone ZONE          whose days are counted by, and whose clock a CMEP file has, such as Europe/Berlin
  --register           takes meters that the registry does not have into it, on the feeder that one of these names
  --feeder F           the feeder of all of them; it is made where there is none
  --feeder-column NAME the column of a CSV file that names the feeder of each; --feeder is that of empty cells then
  --most-refusals N    refused rows beyond which nothing of a file is taken; ${MOST_REFUSALS} unless said
  --over-emulated      puts measured reads in the place of emulated ones, which else stay
  --cancel ID          ends an import: what is not written yet is left
  --no-wait            leaves when the files are read, and does not wait for the workers
  --json               says at the end what came of it, as one JSON document

Ends with 1 where a file was not taken, or not written whole.`;

const { parse, tenant: tenantOf, wrong } = commandLine(USAGE);

const OPTIONS = {
  tenant: { type: 'string' },
  mapping: { type: 'string' },
  'save-mapping': { type: 'string' },
  zone: { type: 'string' },
  'dry-run': { type: 'boolean' },
  register: { type: 'boolean' },
  feeder: { type: 'string' },
  'feeder-column': { type: 'string' },
  'most-refusals': { type: 'string' },
  'over-emulated': { type: 'boolean' },
  cancel: { type: 'string' },
  'no-wait': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export type ImportCommand =
  | { action: 'cancel'; importId: number; asJson: boolean }
  | {
      action: 'import';
      paths: string[];
      tenantId: string;
      given: Partial<CsvMapping>;
      /** The name of a mapping that was saved, in the place of `given`. */
      mappingName: string | undefined;
      /** A mapping that is to be saved, with its name. */
      toSave: { name: string; yaml: string } | undefined;
      zone: string | undefined;
      dryRun: boolean;
      /** Takes unknown meters into the registry. */
      registers: boolean;
      /** The feeder of those whose row names none. */
      feederId: string | undefined;
      feederColumn: string | undefined;
      mostRefusals: number;
      overEmulated: boolean;
      waits: boolean;
      asJson: boolean;
    };

/** @throws StartupError what is wrong, and the usage. */
export async function importCommand(args: string[]): Promise<ImportCommand> {
  const { values, positionals } = parse({ args, allowPositionals: true, options: OPTIONS });
  const asJson = values.json === true;
  if (values.cancel !== undefined) {
    if (positionals.length > 0 || Object.keys(values).some((name) => name !== 'cancel' && name !== 'json'))
      wrong('--cancel takes the number of an import and nothing beside it but --json.');
    return { action: 'cancel', importId: positive('--cancel', values.cancel), asJson };
  }
  if (positionals.length === 0) wrong('Name at least one file.');
  if (values.tenant === undefined) return wrong('Name the tenant whose meters they are: --tenant T.');
  const feederColumn = values['feeder-column'];
  if (values.register && (values.feeder ?? feederColumn ?? values.mapping) === undefined)
    wrong(
      '--register needs --feeder F, the feeder that unknown meters are taken in on, or --feeder-column NAME, the column of a CSV file that names it.',
    );
  if (feederColumn !== undefined && (!values.register || feederColumn.trim() === ''))
    wrong(
      '--feeder-column names the column of feeders of unknown meters: it goes with --register, and is not empty.',
    );
  if (values.feeder !== undefined && (!values.register || values.feeder.trim() === ''))
    wrong('--feeder names the feeder of unknown meters: it goes with --register, and is not empty.');
  const { mapping } = values;
  const isName = mapping !== undefined && mappingName.safeParse(mapping).success && !mapping.includes('.');
  return {
    action: 'import',
    paths: positionals,
    tenantId: tenantOf(values.tenant),
    given: mapping === undefined || isName ? {} : await mappingFrom(mapping),
    mappingName: isName ? mapping : undefined,
    toSave:
      values['save-mapping'] === undefined
        ? undefined
        : await mappingToSave(values['save-mapping'], isName ? undefined : mapping),
    zone: values.zone === undefined ? undefined : zoneOf(values.zone, wrong),
    dryRun: values['dry-run'] === true,
    registers: values.register === true,
    feederId: values.feeder,
    feederColumn,
    mostRefusals:
      values['most-refusals'] === undefined
        ? MOST_REFUSALS
        : natural('--most-refusals', values['most-refusals']),
    overEmulated: values['over-emulated'] === true,
    waits: values['no-wait'] !== true,
    asJson,
  };
}

async function mappingToSave(
  name: string,
  path: string | undefined,
): Promise<{ name: string; yaml: string }> {
  const parsed = mappingName.safeParse(name);
  if (!parsed.success) return wrong(`--save-mapping ${parsed.error.issues[0]?.message}.`);
  if (path === undefined) return wrong('--save-mapping goes with --mapping FILE.yaml, which it saves.');
  return { name, yaml: await mappingTextFrom(path) };
}

function natural(name: string, value: string): number {
  const number = wholeNumber(value);
  return Number.isNaN(number) ? wrong(`${name} must be a whole number from 0 on, not ${value}.`) : number;
}

function positive(name: string, value: string): number {
  const number = wholeNumber(value);
  return number > 0 ? number : wrong(`${name} must be the number of an import, not ${value}.`);
}
