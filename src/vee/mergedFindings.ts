import type { VeeRule, VeeSeverity } from '../contracts/veeRules.js';
import { HOUR } from './rules/meterSpan.js';

/** A finding as it is kept. Instants are ms since 1970; `value` and `limit` are in the unit of the rule. */
export interface Finding {
  meterId: string;
  rule: VeeRule;
  from: number;
  /** Exclusive. */
  to: number;
  value: number;
  limit: number;
  severity: VeeSeverity;
  runId: number;
}

/** Rules whose findings go on from interval to interval; their value is how long they are, in hours. */
const LASTING: ReadonlySet<VeeRule> = new Set(['missing', 'zero-run', 'voltage-missing']);

/**
 * What is kept after a part was validated: what stood outside of it, and what was found. A finding that reaches into the
 * part keeps what lies outside; one that goes on where another ends is one with it.
 *
 * @param standing of the same meters: all that reach into the part or touch it.
 */
export function mergedFindings(
  standing: readonly Finding[],
  found: readonly Finding[],
  part: { from: number; to: number },
): Finding[] {
  const byKey = new Map<string, Finding[]>();
  for (const finding of [...standing.flatMap((one) => outside(one, part)), ...found]) {
    const key = `${finding.rule} ${finding.meterId}`;
    const others = byKey.get(key);
    if (others) others.push(finding);
    else byKey.set(key, [finding]);
  }
  return [...byKey.values()].flatMap(joined);
}

/** The pieces of a finding that lie outside of a part. A rule that looks at one read or one block is cut nowhere. */
function outside(finding: Finding, part: { from: number; to: number }): Finding[] {
  if (finding.rule === 'register-sum') return [finding];
  if (finding.to <= part.from || finding.from >= part.to) return [finding];
  if (!LASTING.has(finding.rule)) return finding.from < part.from ? [finding] : [];
  return [
    { ...finding, to: Math.min(finding.to, part.from) },
    { ...finding, from: Math.max(finding.from, part.to) },
  ]
    .filter(({ from, to }) => from < to)
    .map(lasting);
}

const lasting = (finding: Finding): Finding => ({ ...finding, value: (finding.to - finding.from) / HOUR });

/** Findings of one meter and rule: those that touch as one, and of two that begin at one instant the later. */
function joined(findings: Finding[]): Finding[] {
  findings.sort((a, b) => a.from - b.from || a.runId - b.runId);
  const kept: Finding[] = [];
  for (const finding of findings) {
    const last = kept.at(-1);
    const goesOn = LASTING.has(finding.rule) && last !== undefined && last.to >= finding.from;
    if (goesOn)
      kept[kept.length - 1] = lasting({ ...finding, from: last.from, to: Math.max(last.to, finding.to) });
    else if (last?.from === finding.from) kept[kept.length - 1] = finding.to >= last.to ? finding : last;
    else kept.push(finding);
  }
  return kept;
}
