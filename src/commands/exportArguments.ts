import { resolve, sep } from 'node:path';
import { ApiError, StartupError } from '../contracts/errors.js';
import { EXPORT_FORMATS, exportQuery, metersAsked } from '../contracts/exportRequest.js';
import { parseRequest } from '../contracts/parseRequest.js';
import type { ExportAsked } from '../exports/exports.js';
import { commandLine } from './commandLine.js';

export const USAGE = `npm run export -- --tenant T --from 2026-01-01 --to 2026-01-31 --format FORMAT --out FOLDER/ [--resume]
npm run export -- --tenant T --from 2026-01-01 --to 2026-01-31 --format FORMAT --out FILE

Writes interval reads as ${EXPORT_FORMATS.join(', ')}. Both days are local days and are exported. Into a folder
goes a file for each day, and manifest.json with the counts, sums and SHA-256 of each; --resume goes on at the first day that
lacks. Into a FILE (a name with a dot in it) go all days.

  --meters A,B         these meters alone; --meter NAME, once for each, where a name has a comma
  --feeder F           the meters of this feeder alone
  --quality raw,…      reads of these qualities alone
  --as-of INSTANT      the reads as they stood then, such as 2026-02-01T00:00:00Z
  --zone ZONE          whose days they are, such as Europe/Berlin; else UTC, and always +10:00 for nem12
  --json               the report as one JSON document`;

const { parse, tenant: tenantOf, wrong } = commandLine(USAGE);

const OPTIONS = {
  tenant: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  format: { type: 'string' },
  meters: { type: 'string' },
  meter: { type: 'string', multiple: true },
  'as-of': { type: 'string' },
  feeder: { type: 'string' },
  quality: { type: 'string' },
  zone: { type: 'string' },
  out: { type: 'string' },
  resume: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** What a field of the request is called on the command line. */
export const OPTION_OF: Record<string, string> = {
  tenantId: '--tenant',
  feederId: '--feeder',
  asOf: '--as-of',
};

export interface ExportCommand {
  asked: ExportAsked;
  out: string;
  isFolder: boolean;
  resumes: boolean;
  asJson: boolean;
}

/**
 * @param from folder that relative paths are taken from.
 * @throws StartupError what is wrong, and the usage.
 */
export function exportCommand(args: string[], from: string): ExportCommand {
  const { values } = parse({ args, options: OPTIONS });
  const {
    tenant,
    out,
    resume: resumes = false,
    json: asJson = false,
    feeder,
    'as-of': asOf,
    ...others
  } = values;
  if (tenant === undefined) return wrong('Name the tenant: --tenant DEMO_TENANT.');
  for (const [option, example] of [
    ['from', '2026-01-01'],
    ['to', '2026-01-31'],
    ['format', 'csv'],
  ] as const)
    if (values[option] === undefined) return wrong(`Say --${option}, for example --${option} ${example}.`);
  if (out === undefined || out === '')
    return wrong('Say where to: --out FOLDER/ for a file a day, or --out FILE for all in one.');
  // A name with a dot in it is a file's, as that of each format is.
  const isFolder = /[\\/]$/.test(out) || !/[^\\/]\.[^\\/.]+$/.test(out);
  if (resumes && !isFolder) return wrong('--resume goes with a folder, where each day is a file.');
  return {
    asked: askedOf({ tenantId: tenantOf(tenant), feederId: feeder, asOf, ...others }),
    out: pathOf(out, from),
    isFolder,
    resumes,
    asJson,
  };
}

function pathOf(out: string, from: string): string {
  return from === process.cwd()
    ? out.replace(/(?<=.)[\\/]+$/, '')
    : resolve(from, out.endsWith(sep) ? out.slice(0, -1) : out);
}

function askedOf(fields: Record<string, string | string[] | undefined>): ExportAsked {
  try {
    const asked = parseRequest(exportQuery, fields, 'The command');
    return { ...asked, meters: metersAsked(asked) };
  } catch (error) {
    return wrong(asOption(error));
  }
}

/** The sentence of an error about a field, by the option's name; rethrows what is about none. */
export function asOption(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  const [detail] = error.extra.details ?? [];
  if (detail === undefined) return error.message;
  return `${OPTION_OF[detail.path] ?? `--${detail.path}`} ${detail.message}.`;
}

/** Runs `work`, and says what it throws about a field by the option's name. */
export async function byOptions<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new StartupError(asOption(error), { cause: error });
  }
}
