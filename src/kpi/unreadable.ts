import pg from 'pg';
import { answerBudget } from '../contracts/answerBudget.js';
import { isTransient } from '../db/db.js';
import { whatPostgresSays } from '../db/shownReason.js';

/** The view's turn, connection or answer did not come in time. */
export class TooSlowError extends Error {}

/** The view took its whole time, now or a short while ago. */
export class LeftAloneError extends Error {}

/** How long a view that was too slow is not asked again, in ms: each poll would cost the server a second. */
export const LEFT_ALONE_MS = 30_000;

/** query_canceled: `statement_timeout`, or somebody's pg_cancel_backend. */
const CANCELED = '57014';
/** undefined_table and undefined_column: the view is not what it was at start-up. */
const CHANGED = ['42P01', '42703'];

/** Whether Postgres stopped the view because its time was over. */
export function isCanceled(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === CANCELED;
}

/**
 * Why a customer's view could not be read: part of a sentence, without anything about the connection.
 *
 * @throws errors of our own making as they are.
 */
export function whyUnreadable(error: unknown): string {
  const tooSlow = `it did not answer within ${answerBudget().customerView / 1_000} s`;
  if (error instanceof TooSlowError) return tooSlow;
  if (error instanceof LeftAloneError) {
    return `${tooSlow}, and is not asked again for ${LEFT_ALONE_MS / 1_000} s after that`;
  }
  if (error instanceof pg.DatabaseError) {
    if (isCanceled(error)) return tooSlow;
    const advice = CHANGED.includes(error.code ?? '') ? ', and is looked up anew only at the next start' : '';
    return `Postgres cannot read it (${whatPostgresSays(error)}, SQLSTATE ${error.code})${advice}`;
  }
  if (isTransient(error)) return 'the connection to Postgres that it needs could not be had or was lost';
  throw error;
}
