import type { Queryable } from '../../db/db.js';
import { quoted } from '../identifiers.js';
import type { ReadsMapping, SchemaMapping } from '../mapping.js';
import { exportFunctions } from './exportedReads.js';
import { FOLD_TRIGGERS, foldFunctions } from './foldTriggers.js';
import { accessFunctions, type SqlFunction } from './lookUpReads.js';
import { standingReads } from './standingReads.js';
import { veeReads } from './veeReads.js';
import { writeFunction } from './writeBatch.js';
import { writeImported } from './writeImported.js';
import { yieldEstimates } from './yieldEstimates.js';

/** Makes the functions that fit the table of reads, where they are not there or are others. */
export async function createFunctions(client: Queryable, { reads, ownSchema }: SchemaMapping): Promise<void> {
  for (const { name, replaces, signature, body } of await staleFunctions(client, reads)) {
    let tag = '$gridlens$';
    while (body.includes(tag)) tag = tag.replace('$g', '$_g');
    const header = signature.replace('{ownSchema}', () => quoted(ownSchema));
    if (replaces) await client.query(`DROP FUNCTION IF EXISTS ${name}${replaces}`);
    await client.query(`CREATE OR REPLACE FUNCTION ${name}${header} AS ${tag}${body}${tag}`);
    // A function that acts as its owner: on a table of one's own, as a trigger, it could be made to forge the KPIs.
    if (header.includes('SECURITY DEFINER'))
      await client.query(`REVOKE EXECUTE ON FUNCTION ${name} FROM PUBLIC`);
  }
}

/** The functions that the table of reads needs and that are not there, or are others. */
export async function staleFunctions(client: Queryable, reads: ReadsMapping): Promise<SqlFunction[]> {
  const { rows } = await client.query<{ name: string; body: string }>(
    `SELECT proname AS name, prosrc AS body FROM pg_proc
     WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname LIKE 'ami\\_%'`,
  );
  const bodies = new Map(rows.map(({ name, body }) => [name, body]));
  const needed = [
    ...accessFunctions(reads),
    ...exportFunctions(reads),
    standingReads(reads),
    writeImported(reads),
    ...veeReads(reads),
    yieldEstimates(reads),
  ];
  if (!reads.own && FOLD_TRIGGERS.every(({ name }) => bodies.has(name)))
    needed.push(writeFunction(reads), ...foldFunctions(reads, bodies));
  return needed.filter(({ name, body }) => bodies.get(name) !== body);
}
