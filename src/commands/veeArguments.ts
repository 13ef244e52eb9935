import { ApiError, StartupError } from '../contracts/errors.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { type VeeRunRequest, veeRunRequest } from '../contracts/veeRequest.js';
import { commandLine } from './commandLine.js';

export const USAGE = `npm run vee -- --tenant T --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z [--estimate]

Has the workers validate a span of a tenant's reads by its rules, and shows what they have found.

  --from INSTANT   the first interval, on a quarter hour
  --to INSTANT     the end of the span, itself left out: at most 35 days later
  --estimate       gaps and failed reads are estimated then
  --no-wait        leaves when the run is accepted, and does not wait for the workers
  --json           says at the end what came of it, as one JSON document

Ends with 1 where the run failed.`;

const { parse, tenant: tenantOf, wrong } = commandLine(USAGE);

export interface VeeCommand {
  wanted: VeeRunRequest;
  waits: boolean;
  asJson: boolean;
}

/** @throws StartupError what is wrong, and the usage. */
export function veeCommand(args: string[]): VeeCommand {
  const { values } = parse({
    args,
    options: {
      tenant: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      estimate: { type: 'boolean' },
      'no-wait': { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const { tenant, from, to, estimate = false } = values;
  if (tenant === undefined) return wrong('Name the tenant: --tenant DEMO_TENANT.');
  if (from === undefined || to === undefined)
    return wrong('Say the span by --from and --to, for example --from 2026-01-30T00:00:00Z.');
  try {
    const wanted = parseRequest(
      veeRunRequest,
      { tenantId: tenantOf(tenant), from, to, estimate },
      'The command',
    );
    return { wanted, waits: values['no-wait'] !== true, asJson: values.json === true };
  } catch (error) {
    throw veeRefusal(error);
  }
}

/** What the service or the schema refuses, by the option's name. */
export function veeRefusal(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const [detail] = error.extra.details ?? [];
  return new StartupError(detail === undefined ? error.message : `--${detail.path} ${detail.message}.`, {
    cause: error,
  });
}
