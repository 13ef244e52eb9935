import { createHash } from 'node:crypto';
import type pg from 'pg';
import { StartupError } from '../contracts/errors.js';
import { keptSince } from '../contracts/intervals.js';
import { MAX_BATCH_SIZE } from '../contracts/limits.js';
import { type Database, withTransaction } from '../db/db.js';
import { takeLock } from '../db/locks.js';
import type { FileFormat } from '../intervalFiles/detectFormat.js';
import { type FileText, UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { type FileMeaning, readIntervalFile } from '../intervalFiles/readFile.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';
import { registerMeters } from '../registry/registerMeters.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { findMeaning, type Given } from './fileMeaning.js';
import { failImport, insertImport, keepRefusals, noteReadWhole, sameImport } from './importTable.js';
import { type Judgement, judge } from './judge.js';
import { createKnownMeters, type Registration } from './knownMeters.js';
import type { InnerFile } from './packedFile.js';
import { ImportPlan, type PlanReport, REFUSALS_TOLD, TooManyRefusalsError } from './plan.js';
import {
  countMerged,
  fillBatches,
  fitToTable,
  mergeRows,
  openStaging,
  refusedMerged,
  StagedRows,
} from './staging.js';

export interface ImportOptions extends Given {
  database: Database;
  schema: SchemaMapping;
  tenantId: string;
  /** Takes unknown meters into the registry; undefined refuses their rows. */
  register: Registration | undefined;
  /** Refused rows beyond which nothing of the file is taken. */
  mostRefusals: number;
  overEmulated: boolean;
  /** Says what would become of the file, and writes nothing. */
  dryRun: boolean;
  readsRetentionDays: number | undefined;
  requestId: string;
  now: Date;
  /** Told of the import's number as soon as it has one: the file is being read from then on. */
  onBegun?: (importId: number) => void;
  /** Whether somebody has been told that number: then it stays, whatever becomes of the file. */
  isTold?: () => boolean;
  /** Ends the reading at once, with nothing taken. */
  signal?: AbortSignal | undefined;
}

/** What has become of a file. */
export interface ImportedFile {
  name: string;
  format?: FileFormat;
  /** Of CSV: what its text means, as YAML. */
  mapping?: string;
  /** What the file does not say, each as a question; then nothing is taken. */
  open?: string[];
  /** Why nothing of the file is taken. */
  refusal?: string;
  report?: PlanReport;
  /** Reads: one per meter and interval, both channels together. */
  reads?: number;
  /** Rows that say the same as another one. */
  repeated?: number;
  metersRegistered?: number;
  /** The import that writes it; on a dry run there is none. */
  importId?: number;
  /** Whether that one was under way already, for the same file. */
  existing?: boolean;
  /** On a dry run: what would become of the reads. */
  judgement?: Judgement;
}

/**
 * Reads a file and hands it to the workers: whole, or not at all. The reading is one transaction, so a process that is killed
 * leaves nothing of it.
 */
export async function importFile(file: InnerFile, options: ImportOptions): Promise<ImportedFile> {
  const { name } = file;
  try {
    const found = await findMeaning(file, options);
    if ('refusal' in found || 'open' in found) return { name, ...found };
    const { meaning, days, ...shown } = found;
    const refusal = namesNoFeeder(meaning, options.register);
    if (refusal !== undefined) return { name, ...shown, refusal };
    const reading = { file, meaning, zone: new LocalZone(days), options };
    if (options.dryRun) return { name, ...shown, ...(await dryRun(reading)) };
    return { name, ...shown, ...(await takeIn(reading, shown)) };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { name, ...refusal };
  }
}

/** Why new meters of a file could be put on no feeder; undefined where they could, or are not wanted. */
function namesNoFeeder(meaning: FileMeaning, register: Registration | undefined): string | undefined {
  if (register === undefined || register.feederId !== undefined) return undefined;
  if (meaning.format === 'parquet' && meaning.feederColumn !== undefined) return undefined;
  if (meaning.format !== 'csv' && meaning.format !== 'parquet')
    return 'a file of this format names no feeders: name that of new meters with --feeder (feeder over HTTP)';
  return meaning.format === 'parquet' || meaning.mapping.feederColumn === undefined
    ? 'nothing says which feeder new meters are on: name it with --feeder (feeder over HTTP), or the column that has it with --feeder-column (feederColumn)'
    : undefined;
}

interface Reading {
  file: InnerFile;
  meaning: FileMeaning;
  zone: LocalZone;
  options: ImportOptions;
}

/** What an error says of the file; undefined where it says nothing of it. */
function refusalOf(error: unknown): Pick<ImportedFile, 'refusal' | 'report'> | undefined {
  if (error instanceof TooManyRefusalsError) return { refusal: error.message, report: error.report };
  if (error instanceof UnreadableFileError || error instanceof StartupError)
    return { refusal: error.message };
  return undefined;
}

/** Thrown to roll back what was read. */
class RolledBack extends Error {
  override name = 'RolledBack';
}

async function dryRun(reading: Reading): Promise<Partial<ImportedFile>> {
  const { database, tenantId, overEmulated, signal } = reading.options;
  let judged: Partial<ImportedFile> = {};
  const look = async (client: pg.PoolClient): Promise<never> => {
    const { report, merged, metersRegistered } = await readWhole(client, reading);
    const judgement = await judge(
      client,
      reading.options.schema.reads,
      tenantId,
      overEmulated,
      merged,
      reading.zone,
    );
    judged = { report, judgement, reads: merged.reads, repeated: merged.repeated, metersRegistered };
    throw new RolledBack();
  };
  await withTransaction(database, look, signal).catch((error: unknown) => {
    if (!(error instanceof RolledBack)) throw error;
  });
  return judged;
}

async function takeIn(
  reading: Reading,
  { format, mapping }: { format: FileFormat; mapping?: string },
): Promise<Partial<ImportedFile>> {
  const { database, tenantId, overEmulated, requestId, signal, onBegun, isTold } = reading.options;
  const importId = await insertImport(database, {
    ...{ tenantId, fileName: reading.file.name, format, mapping, overEmulated, requestId },
  });
  onBegun?.(importId);
  const takeWhole = async (client: pg.PoolClient): Promise<Partial<ImportedFile>> => {
    // Held until the end: by it the workers know that somebody is reading still.
    await takeLock(client, 'import-file', String(importId));
    return stage(client, importId, reading);
  };
  try {
    return await withTransaction(database, takeWhole, signal);
  } catch (error) {
    if (error instanceof AlreadyUnderWay) {
      if (isTold?.())
        await failImport(database, importId, `${error.message} already: nothing of this one is taken`);
      else await database.query('DELETE FROM ami_imports WHERE import_id = $1', [importId]);
      return { ...error.found, importId: error.importId, existing: true };
    }
    const refusal = refusalOf(error);
    const reason =
      refusal?.refusal ??
      `the import ended before the file was read whole: ${(signal?.aborted ? signal.reason : (error as Error)).message}`;
    // Where Postgres is away, the workers find that nobody reads the file any more.
    await failImport(database, importId, reason, refusal?.report?.refused).catch(() => undefined);
    if (refusal?.report)
      await keepRefusals(database, importId, refusal.report.refusals).catch(() => undefined);
    throw error;
  }
}

class AlreadyUnderWay extends Error {
  override name = 'AlreadyUnderWay';

  constructor(
    readonly importId: number,
    readonly found: Partial<ImportedFile>,
  ) {
    super(`import ${importId} is writing the same file`);
  }
}

async function stage(
  client: pg.PoolClient,
  importId: number,
  reading: Reading,
): Promise<Partial<ImportedFile>> {
  const { report, merged, fileHash, metersRegistered } = await readWhole(client, reading);
  const { reads, repeated, first, last } = merged;
  const found = { report, reads, repeated, metersRegistered };
  const other = await sameImport(client, importId, fileHash);
  if (other !== undefined) throw new AlreadyUnderWay(other, found);
  await fillBatches(client, importId, MAX_BATCH_SIZE);
  await keepRefusals(client, importId, report.refusals);
  const isOurs = await noteReadWhole(client, importId, {
    ...{ fileHash, reads, repeated, first, last, metersRegistered },
    batches: Math.ceil(reads / MAX_BATCH_SIZE),
    refused: report.refused,
    left: report.left,
  });
  if (!isOurs)
    throw new StartupError('The import was cancelled while the file was read: nothing of it is taken');
  return { ...found, importId };
}

interface WholeFile {
  report: PlanReport;
  merged: { reads: number; repeated: number; first: Date | null; last: Date | null };
  fileHash: string;
  metersRegistered: number;
}

/** The file's reads in `ami_file_reads`, one per meter and interval; its new meters in the registry. */
async function readWhole(
  client: pg.PoolClient,
  { file, meaning, zone, options }: Reading,
): Promise<WholeFile> {
  const { schema, tenantId, register, mostRefusals, readsRetentionDays, now, signal } = options;
  const known = await createKnownMeters(client, schema, tenantId, register);
  const plan = new ImportPlan({
    ...{ feederOf: known.feederOf, whyUnknown: known.whyUnknown, zone, mostRefusals, now },
    keptSince: keptSince(now, readsRetentionDays),
  });
  await openStaging(client);
  const rows = new StagedRows(client);
  const hash = createHash('sha256');
  for await (const batch of readIntervalFile(
    { open: () => hashed(file.open(), hash), parquet: file.parquet },
    meaning,
  )) {
    signal?.throwIfAborted();
    await rows.take(plan.take(batch));
  }
  await rows.end();
  if (file.parquet !== undefined) for await (const piece of file.parquet.bytes()) hash.update(piece);
  await mergeRows(client, known.used());
  const report = plan.report();
  Object.assign(report.left, await fitToTable(client, schema.reads));
  const merged = await countMerged(client);
  if (merged.refused > 0) {
    report.refused += merged.refused;
    report.refusals.push(...(await refusedMerged(client, REFUSALS_TOLD - report.refusals.length)));
    if (report.refused > mostRefusals) throw new TooManyRefusalsError(report);
  }
  const metersRegistered = await registerMeters(client, schema.registry, tenantId, known.unregistered());
  return { report, merged, fileHash: hash.digest('hex'), metersRegistered };
}

/** ESPI is read twice, and its hash is that of both readings: the same for the same file. */
async function* hashed(text: FileText, hash: ReturnType<typeof createHash>): FileText {
  for await (const piece of text) {
    hash.update(piece);
    yield piece;
  }
}
