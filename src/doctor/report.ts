import { styleText } from 'node:util';
import type { Finding } from './checks.js';

/** What the doctor's exit code says: whether anything has failed. */
export const hasFailed = (findings: readonly Finding[]): boolean =>
  findings.some(({ state }) => state === 'fail');

/** A line for each check, and one for all. Colours only where the stream and NO_COLOR allow them. */
export function doctorReport(findings: readonly Finding[], stream: NodeJS.WriteStream): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(
    ({ check, state, sentence }) => `${painted(state, stream)}  ${check.padEnd(width)}  ${sentence}`,
  );
  const count = (state: Finding['state']): number => findings.filter((one) => one.state === state).length;
  return `${lines.join('\n')}\n\n${count('ok')} ok, ${count('warn')} warn, ${count('fail')} fail.\n`;
}

/** The same for programs: one JSON document. */
export function doctorJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ ok: !hasFailed(findings), checks: findings }, null, 2)}\n`;
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function painted(state: Finding['state'], stream: NodeJS.WriteStream): string {
  const isPlain = !stream.isTTY || !stream.hasColors() || (process.env.NO_COLOR ?? '') !== '';
  return isPlain ? state.padEnd(4) : styleText(COLOURS[state], state.padEnd(4));
}
