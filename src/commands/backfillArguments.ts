import type { BackfillWanted } from '../backfill/backfill.js';
import { backfillRequest, MAX_BACKFILL_DAYS } from '../contracts/backfillRequest.js';
import { ApiError, StartupError } from '../contracts/errors.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { commandLine, wholeNumber } from './commandLine.js';

/** `asJson`: whether the report is for a program. */
export type BackfillCommand =
  | { action: 'fill'; asJson: boolean; wanted: BackfillWanted }
  | { action: 'cancel'; asJson: boolean; tenantId: string }
  | { action: 'help' };

export const USAGE = `npm run backfill -- --tenant T --days 7
npm run backfill -- --tenant T --intervals 1
npm run backfill -- --tenant T --from 2026-01-01T00:00:00Z [--to 2026-02-01T00:00:00Z]
npm run backfill -- --tenant T --cancel

Also --meters, --feeders, --batch-size, --interval 15 or 60, --fleet synthetic or registry; without them as the tenant's
automatic mode is set, else 25,000 meters on 25 feeders. --days and --intervals count back from the latest boundary, or from --to.
--json says at the end what came of it, as one JSON document.`;

/** Of quarter hours: with hours the span itself is refused. */
const MAX_BACKFILL_INTERVALS = MAX_BACKFILL_DAYS * 96;

const { parse, tenant: tenantOf, wrong } = commandLine(USAGE);

const OPTIONS = {
  tenant: { type: 'string' },
  days: { type: 'string' },
  intervals: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  meters: { type: 'string' },
  feeders: { type: 'string' },
  'batch-size': { type: 'string' },
  interval: { type: 'string' },
  fleet: { type: 'string' },
  cancel: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What the options are called in a request. */
const OPTION_OF: Record<string, string> = {
  tenantId: '--tenant',
  to: '--to',
  meterCount: '--meters',
  feederCount: '--feeders',
  batchSize: '--batch-size',
  intervalMinutes: '--interval',
  fleet: '--fleet',
};

/** @throws StartupError what is wrong, and the usage. */
export function backfillCommand(args: string[]): BackfillCommand {
  const { values } = parse({ args, options: OPTIONS });
  if (values.help) return { action: 'help' };
  if (values.tenant === undefined) return wrong('Name the tenant: --tenant DEMO_TENANT.');
  const { tenant, days, intervals, from, cancel, json: asJson = false, ...others } = values;
  if (cancel) {
    const foreign = Object.keys(values).find((name) => !['tenant', 'cancel', 'json'].includes(name));
    if (foreign !== undefined) return wrong(`--${foreign} does not go with --cancel.`);
    return { action: 'cancel', asJson, tenantId: tenantOf(tenant) };
  }
  if ([days, intervals, from].filter((one) => one !== undefined).length !== 1)
    return wrong('Say how far back, in one way: --days 7, --intervals 1, or --from 2026-01-01T00:00:00Z.');
  const request = requestOf({
    tenantId: tenant,
    // Days and intervals count back from a boundary that only the tenant's settings tell.
    from: from ?? '2000-01-01T00:00:00Z',
    to: others.to,
    meterCount: numberOf(others.meters),
    feederCount: numberOf(others.feeders),
    batchSize: numberOf(others['batch-size']),
    intervalMinutes: numberOf(others.interval),
    fleet: others.fleet,
  });
  return { action: 'fill', asJson, wanted: { ...request, from: startOf(days, intervals) ?? request.from } };
}

function startOf(
  days: string | undefined,
  intervals: string | undefined,
): BackfillWanted['from'] | undefined {
  if (days !== undefined) return { daysBack: upTo(MAX_BACKFILL_DAYS, '--days', days) };
  if (intervals !== undefined)
    return { intervalsBack: upTo(MAX_BACKFILL_INTERVALS, '--intervals', intervals) };
  return undefined;
}

/** A refusal in the words of the command's options. */
export function refusal(error: ApiError, from?: BackfillWanted['from']): StartupError {
  const [first] = error.extra.details ?? [];
  const option = first && (first.path === 'from' ? startOption(from) : OPTION_OF[first.path]);
  // A sentence about the registry, not about how the option is written.
  if (error.code === 'registry_empty') return new StartupError(error.message, { cause: error });
  return new StartupError(option ? `${option} ${first.message}.` : error.message, { cause: error });
}

function startOption(from: BackfillWanted['from'] | undefined): string {
  if (from === undefined || from instanceof Date) return '--from';
  return 'daysBack' in from ? '--days' : '--intervals';
}

function requestOf(fields: object) {
  try {
    return parseRequest(backfillRequest, fields, 'The command');
  } catch (error) {
    if (error instanceof ApiError) return wrong(refusal(error).message);
    throw error;
  }
}

/** NaN for what is no whole number: the contract then says what it must be. */
function numberOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : wholeNumber(value);
}

function upTo(most: number, option: string, value: string): number {
  const number = wholeNumber(value);
  if (number >= 1 && number <= most) return number;
  return wrong(`${option} must be a whole number from 1 to ${most}.`);
}
