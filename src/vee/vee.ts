/**
 * Room: vee. Promises: reads are validated by rules that the field knows, each with its limit and its finding; a gap is
 * estimated by a method that is recorded, and gives way to what was measured. One process does so at a time, a batch of
 * meters after the other, and nobody who writes reads waits for it.
 */

import { ApiError } from '../contracts/errors.js';
import { requireKept } from '../contracts/instants.js';
import { requireSpan } from '../contracts/seriesRequest.js';
import {
  MOST_VEE_DAYS,
  requireVeeRun,
  type VeeRulesRequest,
  type VeeRunRequest,
} from '../contracts/veeRequest.js';
import { RULE_DEFINITIONS, VEE_RULES } from '../contracts/veeRules.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { findingsOfRun } from './findings.js';
import { findRun, insertRun, openRunsOf, type VeeRun } from './runs.js';
import { changeSettings, veeSettings } from './settings.js';
import { veeSummary } from './summary.js';

const FINDINGS_TOLD = 1_000;
/** Runs of one tenant that wait at once, each of which may take minutes. */
const MOST_OPEN = 20;

interface VeeServiceOptions {
  database: Database;
  schema: Pick<SchemaMapping, 'reads'>;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/** Rules are set here, runs asked for and looked at; the worker (`worker.ts`) does what they say. */
export function createVeeService({ database, schema, readsRetentionDays, now }: VeeServiceOptions) {
  /** What a customer's own table of reads has no place for. */
  const warnings = schema.reads.own
    ? []
    : [
        'Your own table of reads has no column for the quality of a read: findings are recorded, no read is marked, and nothing is estimated.',
      ];
  const told = warnings.length > 0 ? { warnings } : {};

  const rules = async (tenantId: string) => {
    const { rules: settings, ...whole } = await veeSettings(database, tenantId).catch(rethrowUnavailable);
    const told = whole.timeZoneOf === 'rules' ? [...warnings, besideTheTenants(whole.timeZone)] : warnings;
    return {
      tenantId,
      ...whole,
      rules: VEE_RULES.map((rule) => {
        const { name, finds, unit, severity, limit } = RULE_DEFINITIONS[rule];
        return { rule, name, finds, unit, ...settings[rule], usual: { severity, limit } };
      }),
      ...(told.length > 0 ? { warnings: told } : {}),
    };
  };

  return {
    rules,

    /** Changes what is given and leaves the rest; answers all of it. */
    async setRules(wanted: VeeRulesRequest) {
      await changeSettings(database, wanted).catch(rethrowUnavailable);
      return rules(wanted.tenantId);
    },

    /**
     * Has a span validated by the workers.
     *
     * @throws ApiError 400 for a span that cannot be, 429 when too many runs of the tenant wait.
     */
    async startRun(wanted: VeeRunRequest, requestId: string) {
      requireVeeRun(wanted, now());
      requireKept('from', wanted.from, now(), readsRetentionDays);
      const { tenantId, from, to, estimate } = wanted;
      if ((await openRunsOf(database, tenantId).catch(rethrowUnavailable)) >= MOST_OPEN) throw tooManyRuns();
      const registers = wanted.registers.map((register) => ({
        ...register,
        from: register.from.toISOString(),
        to: register.to.toISOString(),
      }));
      const run = await insertRun(database, {
        ...{ tenantId, from, to, registers, requestId, origin: 'request' },
        estimate: estimate && schema.reads.own,
      }).catch(rethrowUnavailable);
      return { ...runAnswer(run), ...told };
    },

    /** How far a run is, with its first findings; undefined when there is no such one. */
    async find(runId: number) {
      const run = await findRun(database, runId).catch(rethrowUnavailable);
      if (run === undefined) return undefined;
      const found = await findingsOfRun(database, runId, FINDINGS_TOLD).catch(rethrowUnavailable);
      return {
        ...runAnswer(run),
        found: found.map(({ runId: _, from, to, ...one }) => ({
          ...one,
          from: new Date(from),
          to: new Date(to),
        })),
        ...told,
      };
    },

    /** @throws ApiError 400 for a span that is empty or longer than 35 days. */
    async summary(tenantId: string, span: { from: Date; to: Date }) {
      requireSpan(span.from, span.to, MOST_VEE_DAYS);
      return { tenantId, ...span, ...(await veeSummary(database, tenantId, span).catch(rethrowUnavailable)) };
    },
  };
}

export type VeeService = ReturnType<typeof createVeeService>;

function runAnswer(run: VeeRun) {
  const { runId, tenantId, origin, from, to, estimate, state } = run;
  return {
    ...{ runId, tenantId, origin, from, to, estimate, state },
    meters: run.meters,
    reads: run.reads,
    findings: run.findings,
    kept: run.kept,
    marked: run.marked,
    estimated: run.estimated,
    requestedAt: run.requestedAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    ...(run.failure === null ? {} : { failure: run.failure }),
  };
}

function besideTheTenants(timeZone: string): string {
  return `Like days go by ${timeZone}, which the rules name, and days are counted by another zone: POST /api/ami/zone is to name the one for both, and "UTC" as timeZone of the rules takes theirs back.`;
}

function tooManyRuns(): ApiError {
  const message = `${MOST_OPEN} runs of this tenant wait already; ask again when one has ended.`;
  return new ApiError(503, 'busy', message, { headers: { 'Retry-After': '10' } });
}
