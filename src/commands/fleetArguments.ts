import { resolve } from 'node:path';
import { DEFAULT_FEEDER_COUNT, SMALL_METER_COUNT } from '../contracts/defaults.js';
import { StartupError } from '../contracts/errors.js';
import type { NamedColumns } from '../registry/file/fleetHeader.js';
import { FLEET_COLUMNS, type FleetColumn, plainWord } from '../registry/file/fleetValues.js';
import type { FleetLoad } from '../registry/file/loadFleet.js';
import { commandLine, wholeNumber } from './commandLine.js';

/** `asJson`: whether the report is for a program. */
export type FleetCommand = { asJson: boolean } & (
  | ({ action: 'load' } & Required<FleetLoad>)
  | { action: 'export'; tenantId: string; out: string | undefined }
  | { action: 'synthesize'; tenantId: string; meterCount: number; feederCount: number }
);

export const USAGE = `npm run fleet -- load FILE.csv --tenant T [--dry-run] [--map meter_id=NAME …] [--ignore NAME …]
    [--ignore-others] [--status WORD=true|false …] [--retire | --retire-any-number]
npm run fleet -- export --tenant T [--out FILE.csv]
npm run fleet -- synthesize --tenant T [--meters 500] [--feeders 25]

The file's columns: meter_id, feeder_id (empty for a meter on no feeder), and, where wanted, feeder_name, is_active and
tenant_id (then --tenant may be left out). --map says which column of the file is one of these, --ignore which to pass
over, --status what a word of is_active means. --retire takes meters that the file does not name out of service. --json reports for programs. To send an export to stdout, keep npm's own lines out of it: npm run -s fleet.`;

const { parse, tenant: tenantOf, wrong } = commandLine(USAGE);

const OPTIONS = {
  tenant: { type: 'string' },
  'dry-run': { type: 'boolean' },
  map: { type: 'string', multiple: true },
  ignore: { type: 'string', multiple: true },
  'ignore-others': { type: 'boolean' },
  status: { type: 'string', multiple: true },
  retire: { type: 'boolean' },
  'retire-any-number': { type: 'boolean' },
  out: { type: 'string' },
  meters: { type: 'string' },
  feeders: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** Which options an action takes besides --tenant. */
const TAKES: Record<FleetCommand['action'], readonly string[]> = {
  load: ['dry-run', 'map', 'ignore', 'ignore-others', 'status', 'retire', 'retire-any-number'],
  export: ['out'],
  synthesize: ['meters', 'feeders'],
};

/**
 * @param from folder that relative paths are taken from, where it is not the process's own.
 * @throws StartupError what is wrong, and the usage.
 */
export function fleetCommand(args: string[], from = process.cwd()): FleetCommand {
  // Where nothing changes, a path is shown as it was written.
  const pathOf = (written: string): string => (from === process.cwd() ? written : resolve(from, written));
  const { values, positionals } = parse({ args, options: OPTIONS, allowPositionals: true });
  const [action, ...rest] = positionals;
  if (action === undefined) throw new StartupError(USAGE);
  if (action !== 'load' && action !== 'export' && action !== 'synthesize') {
    return wrong(`There is no npm run fleet -- ${action}.`);
  }
  const foreign = Object.keys(values).find(
    (name) => !['tenant', 'json'].includes(name) && !TAKES[action].includes(name),
  );
  if (foreign !== undefined) return wrong(`--${foreign} does not go with ${action}.`);
  const asJson = values.json ?? false;
  const tenant = values.tenant === undefined ? undefined : tenantOf(values.tenant);
  if (action === 'load') {
    const [file] = rest;
    if (file === undefined || rest.length > 1) return wrong('Name one file to load.');
    return {
      action,
      asJson,
      file: pathOf(file),
      tenantId: tenant,
      dryRun: values['dry-run'] ?? false,
      named: {
        map: columnMap(values.map ?? []),
        ignore: values.ignore ?? [],
        ignoreOthers: values['ignore-others'] ?? false,
      },
      statuses: statusWords(values.status ?? []),
      retire: values['retire-any-number'] ? 'any' : values.retire ? 'half' : 'no',
    };
  }
  if (rest.length > 0) return wrong(`${action} takes no ${rest[0]}.`);
  if (tenant === undefined) return wrong('Name the tenant: --tenant DEMO_TENANT.');
  if (action === 'export') {
    if (values.out === '') return wrong('Name the file to write: --out FILE.csv.');
    if (asJson && values.out === undefined)
      return wrong('--json goes with --out: without it stdout has the file.');
    return {
      action,
      asJson,
      tenantId: tenant,
      out: values.out === undefined ? undefined : pathOf(values.out),
    };
  }
  return {
    action,
    asJson,
    tenantId: tenant,
    meterCount: wholeNumber(values.meters ?? `${SMALL_METER_COUNT}`),
    feederCount: wholeNumber(values.feeders ?? `${DEFAULT_FEEDER_COUNT}`),
  };
}

/** What `--map COLUMN=NAME` says. */
function columnMap(given: readonly string[]): NamedColumns['map'] {
  const map = new Map<FleetColumn, string>();
  for (const pair of given) {
    const at = pair.indexOf('=');
    const column = FLEET_COLUMNS.find((name) => name === pair.slice(0, Math.max(at, 0)));
    const name = pair.slice(at + 1);
    if (column === undefined || name === '')
      return wrong(
        `--map takes COLUMN=NAME, where COLUMN is one of ${FLEET_COLUMNS.join(', ')}; not ${pair}.`,
      );
    if (map.has(column)) return wrong(`--map names ${column} twice.`);
    map.set(column, name);
  }
  return map;
}

/** What `--status WORD=true` says. */
function statusWords(given: readonly string[]): Map<string, boolean> {
  return new Map(
    given.map((pair) => {
      const [, word = '', isActive] =
        /^(.+)=(true|false)$/.exec(pair) ?? wrong(`--status takes WORD=true or WORD=false, not ${pair}.`);
      return [plainWord(word), isActive === 'true'];
    }),
  );
}
