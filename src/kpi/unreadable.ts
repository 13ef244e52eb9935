import pg from 'pg';
import { answerBudget } from '../contracts/answerBudget.js';
import { isTransient } from '../db/db.js';

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

/**
 * Errors whose text names objects and never values: those of a view that has changed, undefined_function,
 * insufficient_privilege, division_by_zero, and object_not_in_prerequisite_state (a materialized view never filled).
 */
const SHOWN = [...CHANGED, '42883', '42501', '22012', '55000'];
/** The routine of PL/pgSQL's RAISE, whose text is the customer's own under whatever code. */
const RAISED = 'exec_stmt_raise';

/** What the other errors are, by the class of their SQLSTATE. */
const CLASSES: Record<string, string> = {
  '08': 'a connection exception',
  '0A': 'a feature not supported',
  '21': 'a cardinality violation',
  '22': 'a data exception',
  '23': 'an integrity constraint violation',
  '25': 'an invalid transaction state',
  '26': 'an invalid statement name',
  '2F': 'an exception of an SQL routine',
  '38': 'an exception of an external routine',
  '39': 'a failed call of an external routine',
  '3F': 'an invalid schema name',
  '40': 'a transaction rollback',
  '42': 'a syntax error or access rule violation',
  '53': 'insufficient resources',
  '54': 'a program limit exceeded',
  '55': 'an object not in the state it must be in',
  '57': 'an operator intervention',
  '58': 'a system error',
  HV: 'an error of a foreign data wrapper',
  P0: 'an error that a function raised',
  XX: 'an internal error',
};

/** Whether Postgres stopped the view because its time was over. */
export function isCanceled(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === CANCELED;
}

/** The error without any value of the customer's, which its text may carry (`value "…" is out of range`). */
function whatPostgresSays({ code = '', message, routine }: pg.DatabaseError): string {
  if (SHOWN.includes(code) && routine !== RAISED) {
    return (message.split('\n')[0] as string).replace(/[.\s]+$/, '').slice(0, 200);
  }
  return CLASSES[code.slice(0, 2)] ?? 'an error';
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
