/** What a passing error says of Postgres, by SQLSTATE; the words go after its name. */
const BY_STATE: Record<string, string> = {
  53300:
    'has no connection left for this process: raise its max_connections, lower DATABASE_POOL_MAX, or put a pooler before it',
  53100: 'has no disk space left',
  53200: 'has no memory left',
  25006: 'takes no writes: it is a standby that was not promoted, or read-only, as when its disk is full',
  57014: 'did not end a statement in time',
  57: 'is being stopped, started or restored',
  28: 'does not let this role in: its password or its rights have changed',
  '3D': 'has no such database any more',
};

/** By the words of what has no code: pg-pool's, pg's and PgBouncer's. */
const BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /timeout exceeded when trying to connect/,
    'was not asked: all connections of this process are in use (DATABASE_POOL_MAX)',
  ],
  [/query read timeout/i, BY_STATE[57014] as string],
  [
    /query_wait_timeout|no more connections allowed|too many connections|remaining connection slots/,
    BY_STATE['53300'] as string,
  ],
  [/takes no writes/, BY_STATE['25006'] as string],
];

/**
 * What is the matter with Postgres, as far as an error tells: `has no connection left …`, to be put after its name.
 * Undefined where it only does not answer. Nothing of the error itself is in it, which may name hosts and users.
 */
export function postgresTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  const byState = typeof code === 'string' ? (BY_STATE[code] ?? BY_STATE[code.slice(0, 2)]) : undefined;
  if (byState !== undefined) return byState;
  return BY_WORDS.find(([words]) => words.test(error.message))?.[1] ?? postgresTrouble(error.cause);
}
