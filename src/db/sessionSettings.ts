import type { Queryable } from './queryable.js';

/** A setting of a connection, by its name in pg_settings. */
export type Setting = readonly [name: string, value: string];

/**
 * The settings in libpq's `options`, `-c name=value` or `--name=value`; a backslash keeps the character after it, as in
 * `-c search_path=a,\ b`. Anything else in it is left out.
 */
export function parseOptions(options: string): Setting[] {
  const words = options.match(/(?:\\.|\S)+/g) ?? [];
  return words
    .join(' ')
    .split(/(?:^|\s)(?:-c\s*|--)/)
    .flatMap((assignment) => {
      const [, name, value] = /^([\w.-]+)=((?:\\.|\S)*)/.exec(assignment) ?? [];
      if (name === undefined || value === undefined) return [];
      return [[name.replaceAll('-', '_'), value.replaceAll(/\\(.)/g, '$1')] as const];
    });
}

/**
 * Makes settings of a connection. A statement of its own rather than libpq's `options`, which PgBouncer refuses or, if
 * told to, ignores. A bound on statements that is tighter already stays.
 */
export async function applySettings(client: Queryable, settings: readonly Setting[]): Promise<void> {
  await client.query(
    `SELECT set_config(given.name, given.setting, false)
     FROM unnest($1::text[], $2::text[]) AS given (name, setting)
     WHERE CASE given.name WHEN 'statement_timeout' THEN
       (SELECT now_set.setting::bigint NOT BETWEEN 1 AND given.setting::bigint
        FROM pg_settings AS now_set WHERE now_set.name = 'statement_timeout') ELSE true END`,
    [settings.map(([name]) => name), settings.map(([, value]) => value)],
  );
}

/**
 * Which of the settings the connection lacks: a pooler that ignores `options` says nothing of it. Those that the role or
 * the database has anyway are not missed.
 */
export async function settingsNotMade(client: Queryable, settings: readonly Setting[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT given.name FROM unnest($1::text[], $2::text[]) AS given (name, setting)
     JOIN pg_settings AS now_set ON now_set.name = given.name
     WHERE now_set.source <> 'client' AND replace(now_set.setting, ' ', '') <> replace(given.setting, ' ', '')`,
    [settings.map(([name]) => name), settings.map(([, value]) => value)],
  );
  return rows.map(({ name }) => name);
}
