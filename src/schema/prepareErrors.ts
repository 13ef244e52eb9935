import pg from 'pg';
import { StartupError } from '../contracts/errors.js';

/**
 * What preparing the schema stumbled over, as one sentence that says what to do; any other error as it is. All of it
 * has been rolled back.
 */
export function prepareError(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const { message, code } = error;
  if (code === '42501')
    return new StartupError(
      `The schema could not be prepared, since the role lacks a right (${message}): run npm run migrate once as a role that has it, or grant it; npm run migrate -- --plan lists what is made, docs/operations.md the rights.`,
      { cause: error },
    );
  if (code === '55P03')
    return new StartupError(
      `The schema could not be prepared, since a table was in use for 20 s (${message}): run npm run migrate when nothing long is running on it.`,
      { cause: error },
    );
  // duplicate_table, duplicate_function, duplicate_object: a name of ours is taken by something that is not ours.
  if (code === '42P07' || code === '42723' || code === '42710')
    return new StartupError(
      `The schema could not be prepared, since the database has something else by a name that GridLens needs (${message}): rename it, or give GridLens a schema of its own: CREATE SCHEMA gridlens; ALTER ROLE CURRENT_USER SET search_path = gridlens, public;`,
      { cause: error },
    );
  return error;
}
