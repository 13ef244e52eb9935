import { RULE_DEFINITIONS, type VeeRule } from '../contracts/veeRules.js';
import type { VeeService } from '../vee/vee.js';
import { columns, count, counted } from './inspectReport.js';

export type RunAnswer = NonNullable<Awaited<ReturnType<VeeService['find']>>>;
type Started = Awaited<ReturnType<VeeService['startRun']>>;

/** As many as a terminal shows; --json has all that are told. */
const FINDINGS_SHOWN = 20;

/** What was asked for, before the workers do it. */
export function startedReport({ runId, tenantId, from, to }: Started): string {
  return `Run ${runId}: ${tenantId} from ${from.toISOString()} until before ${to.toISOString()}\n`;
}

/** What came of a run. */
export function runReport(run: RunAnswer): string {
  const { runId, state, meters, reads, findings, kept, marked, estimated, failure, found } = run;
  if (state === 'failed') return `Run ${runId} failed: ${failure ?? 'nobody knows why'}\n`;
  const rules = Object.entries(findings) as [VeeRule, number][];
  const total = rules.reduce((sum, [, number]) => sum + number, 0);
  const estimates = Object.entries(estimated).filter(([, number]) => number > 0);
  const lines = [
    `Run ${runId}: ${counted(reads, 'read')} of ${counted(meters, 'meter')}; ${counted(total, 'finding')}, ${counted(marked, 'read')} marked questionable.`,
    ...rules.map(([rule, number]) => `  ${count(number)} × ${RULE_DEFINITIONS[rule]?.name ?? rule}`),
    ...estimates.map(([method, number]) => `  ${count(number)} estimated by ${method}`),
  ];
  const shown = found.slice(0, FINDINGS_SHOWN);
  if (shown.length > 0)
    lines.push(
      '',
      ...columns(
        [
          ['meter', 'rule', 'from', 'value'],
          ...shown.map(({ meterId, rule, from, value }) => [
            meterId,
            rule,
            from.toISOString(),
            value === null ? '' : String(value),
          ]),
        ],
        2,
      ),
    );
  if (kept > shown.length)
    lines.push(
      `  and ${count(kept - shown.length)} more: GET /api/ami/vee/runs/${runId}, or ami_vee_findings`,
    );
  return `${lines.join('\n')}\n`;
}
