import pg from 'pg';
import { DependencyUnavailableError } from '../contracts/errors.js';
import { isTransient } from './db.js';
import { postgresTrouble } from './postgresTrouble.js';

/**
 * Errors whose text names objects and never values, which are in the detail: undefined_table, undefined_column and
 * undefined_function, insufficient_privilege, division_by_zero, object_not_in_prerequisite_state (a materialized view never
 * filled), and what a constraint refuses (not null, foreign key, unique, check).
 */
const SHOWN = ['42P01', '42703', '42883', '42501', '22012', '55000', '23502', '23503', '23505', '23514'];
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

/** What Postgres says of an error, without any value of the customer's, which its text may carry (`value "…" is out of range`). */
export function whatPostgresSays({ code = '', message, routine }: pg.DatabaseError): string {
  if (SHOWN.includes(code) && routine !== RAISED) {
    return (message.split('\n')[0] as string).replace(/[.\s]+$/, '').slice(0, 200);
  }
  return CLASSES[code.slice(0, 2)] ?? 'an error';
}

/**
 * Why work failed, as it is kept for answers that strangers read: our own sentences, and of others neither host, user nor
 * value. Whoever calls this logs the error itself.
 */
export function shownReason(error: unknown): string {
  if (error instanceof DependencyUnavailableError) {
    if (!(error.cause instanceof Error)) return error.message;
    return error.dependency === 'queue' ? 'The queue is not available' : postgresIsAway(error.cause);
  }
  if (error instanceof pg.DatabaseError && postgresTrouble(error) === undefined)
    return `Postgres refuses it (${whatPostgresSays(error)}, SQLSTATE ${error.code})`;
  if (isTransient(error)) return postgresIsAway(error);
  return error instanceof Error ? error.message : String(error);
}

function postgresIsAway(error: unknown): string {
  return `Postgres ${postgresTrouble(error) ?? 'is not available'}`;
}
