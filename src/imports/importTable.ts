import type { Queryable } from '../db/db.js';
import type { FileFormat } from '../intervalFiles/detectFormat.js';
import type { Refusal } from '../intervalFiles/intervalFiles.js';

/** An import as it is asked for. */
export interface NewImport {
  tenantId: string;
  fileName: string;
  format: FileFormat;
  mapping: string | undefined;
  overEmulated: boolean;
  requestId: string;
}

/** What a file that was read whole has come to. */
export interface ReadWhole {
  fileHash: string;
  reads: number;
  batches: number;
  refused: number;
  repeated: number;
  left: Record<string, number>;
  metersRegistered: number;
  first: Date | null;
  last: Date | null;
}

/** Notes that a file is being read; nothing of it counts yet. Answers the import's number. */
export async function insertImport(client: Queryable, wanted: NewImport): Promise<number> {
  const { rows } = await client.query<{ importId: number }>(
    `INSERT INTO ami_imports (tenant_id, file_name, format, mapping, over_emulated, request_id)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING import_id AS "importId"`,
    [
      wanted.tenantId,
      wanted.fileName,
      wanted.format,
      wanted.mapping ?? null,
      wanted.overEmulated,
      wanted.requestId,
    ],
  );
  return (rows[0] as { importId: number }).importId;
}

/** An import of the same text by the same rules that is being written; undefined when there is none. */
export async function sameImport(
  client: Queryable,
  importId: number,
  fileHash: string,
): Promise<number | undefined> {
  const { rows } = await client.query<{ importId: number }>(
    `SELECT other.import_id AS "importId" FROM ami_imports mine JOIN ami_imports other USING (tenant_id, over_emulated)
     WHERE mine.import_id = $1 AND other.import_id <> $1 AND other.state = 'writing' AND other.file_hash = $2
       AND other.mapping IS NOT DISTINCT FROM mine.mapping LIMIT 1`,
    [importId, fileHash],
  );
  return rows[0]?.importId;
}

/**
 * Notes that a file was read whole: from the commit on, the workers write it.
 *
 * @returns false where the import was cancelled meanwhile.
 */
export async function noteReadWhole(client: Queryable, importId: number, whole: ReadWhole): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_imports SET state = 'writing', read_whole_at = clock_timestamp(), file_hash = $2, reads = $3,
       batches = $4, refused = $5, repeated = $6, left_out = $7, meters_registered = $8, first_read_at = $9,
       last_read_at = $10
     WHERE import_id = $1 AND state = 'reading'`,
    [
      importId,
      whole.fileHash,
      whole.reads,
      whole.batches,
      whole.refused,
      whole.repeated,
      JSON.stringify(whole.left),
      whole.metersRegistered,
      whole.first,
      whole.last,
    ],
  );
  return rowCount === 1;
}

/** Ends an import of which nothing is taken. */
export async function failImport(
  client: Queryable,
  importId: number,
  reason: string,
  refused = 0,
): Promise<void> {
  await client.query(
    `UPDATE ami_imports SET state = 'failed', failure = $2, refused = $3, finished_at = clock_timestamp()
     WHERE import_id = $1 AND state = 'reading'`,
    [importId, reason.slice(0, 500), refused],
  );
}

/** Keeps the first refused rows of a file. */
export async function keepRefusals(
  client: Queryable,
  importId: number,
  refusals: readonly Refusal[],
): Promise<void> {
  await client.query(
    `INSERT INTO ami_import_refusals (import_id, line, meter_id, reason, rows)
     SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::integer[])`,
    [
      importId,
      refusals.map(({ line }) => line),
      refusals.map(({ meterId }) => meterId ?? null),
      refusals.map(({ reason }) => reason),
      refusals.map(({ rows = 1 }) => rows),
    ],
  );
}
