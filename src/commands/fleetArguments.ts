import { resolve } from 'node:path';
import { DEFAULT_FEEDER_COUNT, SMALL_METER_COUNT } from '../contracts/defaults.js';
import { StartupError } from '../contracts/errors.js';
import { commandLine, wholeNumber } from './commandLine.js';

/** `asJson`: whether the report is for a program. */
export type FleetCommand = { asJson: boolean } & (
  | { action: 'load'; file: string; tenantId: string | undefined; dryRun: boolean }
  | { action: 'export'; tenantId: string; out: string | undefined }
  | { action: 'synthesize'; tenantId: string; meterCount: number; feederCount: number }
);

export const USAGE = `npm run fleet -- load FILE.csv --tenant T [--dry-run]
npm run fleet -- export --tenant T [--out FILE.csv]
npm run fleet -- synthesize --tenant T [--meters 500] [--feeders 25]

The file's columns: meter_id, feeder_id (empty for a meter on no feeder), and, where wanted, feeder_name, is_active and
tenant_id (then --tenant may be left out). --json reports for programs. To send an export to stdout, keep npm's own lines out of it: npm run -s fleet.`;

const { parse, tenant: tenantOf, wrong } = commandLine(USAGE);

const OPTIONS = {
  tenant: { type: 'string' },
  'dry-run': { type: 'boolean' },
  out: { type: 'string' },
  meters: { type: 'string' },
  feeders: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** Which options an action takes besides --tenant. */
const TAKES: Record<FleetCommand['action'], readonly string[]> = {
  load: ['dry-run'],
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
    return { action, asJson, file: pathOf(file), tenantId: tenant, dryRun: values['dry-run'] ?? false };
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
