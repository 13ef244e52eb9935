import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { ApiError, DependencyUnavailableError } from '../../src/contracts/errors.js';
import { shownReason } from '../../src/db/shownReason.js';

const fromPostgres = (code: string, message: string, routine?: string) =>
  Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, ...(routine ? { routine } : {}) });
const fromNode = (code: string) =>
  Object.assign(new Error(`connect ${code} 10.0.0.7:5432`), { code, syscall: 'connect' });

describe('why work failed, as strangers read it', () => {
  it('has our own sentences as they are', () => {
    expect(shownReason(new ApiError(400, 'registry_empty', 'The registry is empty.'))).toBe(
      'The registry is empty.',
    );
    expect(shownReason(new DependencyUnavailableError('postgres', 'not looked up within 2000 ms'))).toBe(
      'Postgres is not available: not looked up within 2000 ms',
    );
  });

  it('names the objects that Postgres names, and no value', () => {
    expect(
      shownReason(fromPostgres('23514', 'new row for relation "reads" violates check constraint "whole"')),
    ).toContain('constraint "whole"');
    expect(shownReason(fromPostgres('42501', 'permission denied for table meters'))).toContain('meters');
    for (const error of [
      fromPostgres('22P02', 'invalid input syntax for type boolean: "Jane Doe"'),
      fromPostgres('23514', 'Jane Doe has no meter', 'exec_stmt_raise'),
      fromPostgres('P0001', 'Jane Doe has no meter'),
    ])
      expect(shownReason(error)).toMatch(/^Postgres refuses it \(an? [a-z ]+, SQLSTATE \w{5}\)$/);
  });

  it.each([
    ['an address', fromNode('ECONNREFUSED')],
    ['a user', fromPostgres('28P01', 'password authentication failed for user "10.0.0.7"')],
    ['a host', fromPostgres('28000', 'no pg_hba.conf entry for host "10.0.0.7", user "gridlens"')],
    ['an address within', new DependencyUnavailableError('postgres', fromNode('ETIMEDOUT'))],
    ['an address of the queue', new DependencyUnavailableError('queue', fromNode('ECONNREFUSED'))],
  ])('names no %s', (_what, error) => {
    const reason = shownReason(error);
    expect(reason).toMatch(/^(Postgres|The queue) (is not available|does not let this role in)/);
    expect(reason).not.toMatch(/10\.0\.0\.7|gridlens/);
  });
});
