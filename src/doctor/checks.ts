import { withDeadline } from '../timing/deadline.js';

/** What a check has found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  check: string;
  /** `warn`: it works, but not as it should, or it was not looked at. */
  state: 'ok' | 'warn' | 'fail';
  /** What was found and, unless it is well, what to do. Without secrets. */
  sentence: string;
}

export type Verdict = Pick<Finding, 'state' | 'sentence'>;

export const ok = (sentence: string): Verdict => ({ state: 'ok', sentence });
export const warn = (sentence: string): Verdict => ({ state: 'warn', sentence });
export const fail = (sentence: string): Verdict => ({ state: 'fail', sentence });

/** `requirePostgres` asks a Postgres that is silent for 13 s before it says so. */
const CHECK_MS = 15_000;

/** One check within its time; what it throws is what it has found. */
export async function checked(check: string, look: () => Promise<Verdict>): Promise<Finding> {
  const late = () => new Error(`no answer within ${CHECK_MS / 1_000} s: look at that server and its network`);
  try {
    return { check, ...(await withDeadline(look, CHECK_MS, late)) };
  } catch (error) {
    const sentence = error instanceof Error ? error.message || error.name : String(error);
    return { check, state: 'fail', sentence };
  }
}

/** Checks that make no sense after an earlier one. */
export function notChecked(checks: readonly string[], why: string): Finding[] {
  return checks.map((check) => ({ check, state: 'warn', sentence: `not looked at: ${why}.` }));
}
