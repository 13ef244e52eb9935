import { StartupError } from '../contracts/errors.js';
import { type Database, withClient } from '../db/db.js';
import { preparePartitionsIn } from '../reads/partitionUpkeep.js';
import type { PlannedStatement } from './additions.js';
import { objectChanges, readObjects } from './databaseObjects.js';
import type { SchemaMapping } from './mapping.js';
import { prepareError } from './prepareErrors.js';
import { prepareSchema } from './prepareSchema.js';
import { missingQueueCharacters } from './queueCharacters.js';

/** What a start would change. */
export interface SchemaPlan {
  database: string;
  role: string;
  mapping: SchemaMapping;
  /** On tables that GridLens did not make. */
  onCustomerTables: PlannedStatement[];
  /** Objects that would be new, those on the customer's tables among them. */
  added: string[];
  changed: string[];
  /** How many of GridLens's objects that are there would get a comment, or another one. */
  comments: number;
}

export interface PlanOptions {
  defaultTenantId: string;
  /** The schema of the queue in Postgres; undefined with the queue in Redis. */
  queueSchema: string | undefined;
  now: Date;
}

/**
 * Finds out what a start would change by making it and rolling it back, so that the plan cannot differ from what
 * happens. The customer's tables are not even locked: what would be added to them is listed and left out.
 *
 * @throws StartupError as a start would.
 */
export async function planSchema(database: Database, options: PlanOptions): Promise<SchemaPlan> {
  return withClient(database, async (client) => {
    const lacking = options.queueSchema !== undefined ? await missingQueueCharacters(client) : undefined;
    if (lacking !== undefined) throw new StartupError(lacking);
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    try {
      const { rows } = await client.query<{ database: string; role: string; queue: boolean }>(
        `SELECT current_database() AS database, current_user AS role, to_regnamespace($1) IS NOT NULL AS queue`,
        [options.queueSchema ?? null],
      );
      const about = rows[0] as (typeof rows)[number];
      const before = await readObjects(client);
      const { mapping, onCustomerTables, comments } = await prepareSchema(client, {
        defaultTenantId: options.defaultTenantId,
        planOnly: true,
      }).catch((error: unknown) => {
        throw prepareError(error);
      });
      await preparePartitionsIn(client, options.now);
      const { added, changed } = objectChanges(before, await readObjects(client));
      const theirs = onCustomerTables.flatMap(({ objects }) => objects);
      const queue =
        options.queueSchema !== undefined && !about.queue
          ? [`schema ${options.queueSchema}, with the tables of the queue`]
          : [];
      return {
        database: about.database,
        role: about.role,
        mapping,
        onCustomerTables,
        added: [...theirs, ...queue, ...added],
        changed,
        comments,
      };
    } finally {
      await client.query('ROLLBACK');
    }
  });
}

/** The plan as text: statements on the customer's tables with their reasons, then every object, a line each. */
export function planReport(plan: SchemaPlan): string {
  const { database, role, onCustomerTables, added, changed, comments } = plan;
  const lines = [`Plan for database ${database} as role ${role}. Nothing has been changed.`, ''];
  if (added.length + changed.length + comments === 0) {
    lines.push('The schema is up to date: a start would change nothing.');
    return `${lines.join('\n')}\n`;
  }
  if (onCustomerTables.length > 0) {
    lines.push(
      'On tables that GridLens did not make, these statements would run; no row of theirs is changed:',
      '',
    );
    for (const { statement, summary } of onCustomerTables) lines.push(`  -- ${summary}`, `  ${statement};`);
    lines.push('');
  }
  lines.push(
    ...section('New objects (#), a table with all that belongs to it:', '+', added),
    ...section('Objects of GridLens that would be replaced (#):', '~', changed),
  );
  if (comments > 0) lines.push(`Comments on objects of GridLens that would be written: ${comments}.`);
  return `${lines.join('\n').trimEnd()}\n`;
}

function section(title: string, sign: string, objects: readonly string[]): string[] {
  if (objects.length === 0) return [];
  return [
    title.replace('#', String(objects.length)),
    '',
    ...objects.map((object) => `  ${sign} ${object}`),
    '',
  ];
}
