import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError, invalidField } from '../contracts/errors.js';
import type { UploadQuery } from '../contracts/importRequest.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { withDeadline } from '../timing/deadline.js';
import { type DryRunFile, dryRunFiles, toldRefusal } from './dryRunAnswer.js';
import { findMeaning, type Given } from './fileMeaning.js';
import { type ImportedFile, type ImportOptions, importFile } from './importFile.js';
import type { ImportService } from './imports.js';
import { savedMapping } from './mappings.js';
import { type InnerFile, innerFiles } from './packedFile.js';
import type { ImportDetails } from './progressAnswer.js';
import { asNoRoom, type KeptUpload, keepUpload, removeForsaken } from './uploadFolder.js';

/** Files that one process takes at once, received and waiting to be read; one of them is read at a time. */
const AT_ONCE = 2;
const TIDY_EVERY_MS = 10 * 60_000;
/** Of the time of an answer, for which a file that is being read is waited for: the answer then has its counts. */
const READING_SHARE = 0.5;
/** Refused rows that the answer has; GET has more. */
const REFUSALS_TOLD = 20;

/** A file on its way in. */
export interface Upload {
  query: UploadQuery;
  /** Bytes that are told to come; 0 where that is not known. */
  bytes: number;
  /** Writes the body into what it is given; answers its bytes. */
  receive: (sink: Writable) => Promise<number>;
  /** The caller has gone. */
  gone: AbortSignal;
  requestId: string;
  log: Pick<Logger, 'info' | 'warn'>;
}

export interface TakenUpload {
  dryRun: false;
  tenantId: string;
  imports: (ImportDetails & { existing?: true })[];
}
export interface LookedAtUpload {
  dryRun: true;
  tenantId: string;
  files: DryRunFile[];
}

interface UploadSurroundings {
  /** For reading: a connection whose statements may take minutes. */
  files: Database;
  /** For what is short. */
  database: Database;
  schema: SchemaMapping;
  imports: ImportService;
  folder: string;
  readsRetentionDays: number | undefined;
  log: Pick<Logger, 'info' | 'warn'>;
  now: () => Date;
}

export type UploadAnswer = TakenUpload | LookedAtUpload;

/** What a file has come to, with the number of its import where one was begun. */
interface Outcome {
  file: ImportedFile;
  importId: number | undefined;
}

/** Files that are sent to the API: kept while they are read, then gone. */
export function createUploadService(surroundings: UploadSurroundings) {
  const { folder, imports, log } = surroundings;
  const inTurn = pLimit(1);
  const stopping = new AbortController();
  const readings = new Set<Promise<unknown>>();
  let underWay = 0;
  const tidy = (): Promise<void> =>
    removeForsaken(folder).then((removed) => {
      if (removed > 0) log.info({ removed }, 'files of imports that were killed are removed');
    });
  let tidied = tidy();
  // What a process before this one has left may have been too young when this one began.
  const tidying = setInterval(() => {
    tidied = tidy();
  }, TIDY_EVERY_MS).unref();

  const take = async (upload: Upload): Promise<UploadAnswer> => {
    if (underWay >= AT_ONCE) throw busy();
    underWay += 1;
    let kept: KeptUpload | undefined;
    let reading: Promise<unknown> | undefined;
    const leave = async (): Promise<void> => {
      await kept?.remove().catch((error: Error) => log.warn({ reason: error.message }, 'a file stays'));
      underWay -= 1;
    };
    try {
      const given = await givenBy(surroundings.database, upload.query);
      kept = await keepUpload(folder, upload.bytes);
      const bytes = await upload.receive(kept.sink).catch((error: unknown) => {
        throw asNoRoom(error);
      });
      upload.log.info({ tenantId: upload.query.tenantId, bytes }, 'a file was received');
      const files = await understood(kept.path, upload.query.fileName, given);
      const read = reader(upload, given, files);
      const whole = inTurn(read.all);
      reading = whole;
      readings.add(whole);
      whole.catch(() => undefined).finally(() => readings.delete(whole));
      return upload.query.dryRun
        ? { dryRun: true, tenantId: upload.query.tenantId, files: dryRunFiles(filesOf(await whole)) }
        : {
            dryRun: false,
            tenantId: upload.query.tenantId,
            imports: await answerOf(upload, read, whole, files.length),
          };
    } finally {
      if (reading === undefined) await leave();
      else reading.then(leave, leave);
    }
  };

  /** Reads the files one after the other. */
  const reader = (upload: Upload, given: Given, files: readonly InnerFile[]) => {
    const { query, requestId } = upload;
    const { files: database, schema, readsRetentionDays, now } = surroundings;
    const isDryRun = query.dryRun === true;
    let isTold = false;
    let begin: (importId: number) => void = () => undefined;
    const begun = new Promise<number>((resolve) => {
      begin = resolve;
    });
    let start: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const options: ImportOptions = {
      ...given,
      ...{ database, schema, tenantId: query.tenantId, dryRun: isDryRun, readsRetentionDays, requestId },
      register: query.register === true ? { feederId: query.feeder } : undefined,
      mostRefusals: query.mostRefusals,
      overEmulated: query.overEmulated === true,
      now: now(),
      isTold: () => isTold,
      signal: isDryRun ? AbortSignal.any([stopping.signal, upload.gone]) : stopping.signal,
    };
    const all = async (): Promise<Outcome[]> => {
      start();
      const outcomes: Outcome[] = [];
      for (const file of files) {
        options.signal?.throwIfAborted();
        let importId: number | undefined;
        const onBegun = (id: number): void => {
          importId = id;
          begin(id);
        };
        const done = await importFile(file, { ...options, onBegun });
        outcomes.push({ file: done, importId: done.importId ?? importId });
      }
      return outcomes;
    };
    return {
      all,
      begun,
      started,
      tell: () => {
        isTold = true;
      },
    };
  };

  /** The imports with what is known of them by now. Of several files all are read first: what is not begun could be lost. */
  const answerOf = async (
    upload: Upload,
    read: ReturnType<typeof reader>,
    whole: Promise<Outcome[]>,
    files: number,
  ): Promise<TakenUpload['imports']> => {
    const outcomes = files > 1 ? await whole : await soon(read, whole);
    if (typeof outcomes !== 'number') return settled(outcomes);
    read.tell();
    whole.catch((error: Error) =>
      upload.log.warn({ importId: outcomes, reason: error.message }, 'a file was not read whole'),
    );
    const details = await imports.find(outcomes, REFUSALS_TOLD);
    // Meanwhile it was found to be written already, and its own number was taken back.
    return details === undefined ? settled(await whole) : [details];
  };

  /** What the file has come to, or the number of its import where reading it takes longer. */
  const soon = async (
    { started, begun }: ReturnType<typeof reader>,
    whole: Promise<Outcome[]>,
  ): Promise<Outcome[] | number> => {
    const { handler } = answerBudget();
    // Another file may be read before, however long that takes.
    await Promise.race([started, whole]);
    return withDeadline(
      () => Promise.race([whole, begun.then((importId) => sleep(handler * READING_SHARE, importId))]),
      handler,
      tooSlow,
    );
  };

  const found = async (importId: number): Promise<ImportDetails> => {
    const details = await imports.find(importId, REFUSALS_TOLD);
    if (details === undefined) throw new Error(`import ${importId} is gone`);
    return details;
  };

  const settled = async (outcomes: readonly Outcome[]): Promise<TakenUpload['imports']> => {
    if (outcomes.every(({ file }) => file.importId === undefined)) throw refused(outcomes);
    const taken: TakenUpload['imports'] = [];
    for (const { file, importId } of outcomes)
      if (importId !== undefined)
        taken.push({ ...(await found(importId)), ...(file.existing ? { existing: true as const } : {}) });
    return taken;
  };

  return {
    /**
     * Takes a file in: keeps it, finds out what it means, and reads it. The answer comes when it is being read, or with what it
     * has come to where that is known soon; on a dry run, and of several files in one archive, when all is read.
     *
     * @throws ApiError 400 that asks what the file does not say, or says why nothing of it is taken; 503 while as many files are
     * under way as a process takes; 507 without room for it.
     */
    take,

    /** Ends what is being read, with nothing taken, and removes the files. */
    async stop(): Promise<void> {
      clearInterval(tidying);
      stopping.abort(stopped());
      await Promise.allSettled([...readings, tidied]);
    },
  };
}

export type UploadService = ReturnType<typeof createUploadService>;

/** What is known beside the file. @throws ApiError 400 for a mapping or a zone that there is not. */
async function givenBy(database: Database, query: UploadQuery): Promise<Given> {
  const { tenantId, mapping, timeZone, feederColumn } = query;
  const columns = feederColumn === undefined ? {} : { feederColumn };
  const zone = timeZone === undefined ? undefined : zoneNamed(timeZone);
  if (mapping === undefined) return { given: columns, zone };
  const saved = await savedMapping(database, tenantId, mapping).catch(rethrowUnavailable);
  if (saved && query.register && query.feeder === undefined && !feederColumn && !saved.fields.feederColumn)
    throw invalidField(
      'feeder',
      `must name the feeder of new meters, since mapping ${mapping} has no feederColumn`,
    );
  if (saved) return { given: { ...saved.fields, ...columns }, zone };
  throw invalidField(
    'mapping',
    `${mapping} is not saved for tenant ${tenantId}: GET /api/ami/import-mappings has the names`,
  );
}

function zoneNamed(name: string): string {
  try {
    return new LocalZone(name).name;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidField('timeZone', 'must be a time zone, for example "Europe/Berlin", "UTC" or "+10:00"');
  }
}

/** The files in what was sent, once each of them says what it means. @throws ApiError 400. */
async function understood(path: string, name: string, given: Given): Promise<InnerFile[]> {
  try {
    const files = await innerFiles(path, name);
    for (const file of files) {
      const meaning = await findMeaning(file, given);
      if ('refusal' in meaning) throw notTaken(file.name, meaning.refusal);
      if ('open' in meaning) throw ambiguous(file.name, meaning);
    }
    return files;
  } catch (error) {
    throw error instanceof UnreadableFileError ? notTaken(name, error.message) : error;
  }
}

function ambiguous(
  name: string,
  { open, format, mapping }: { open: string[]; format: string; mapping?: string },
): ApiError {
  const [first = ''] = open;
  const more = open.length > 1 ? ` (and ${open.length - 1} more in questions)` : '';
  return new ApiError(
    400,
    'file_ambiguous',
    `${name} does not say all that it means: ${first}${more} Nothing of it is taken.`,
    { body: { questions: open, format, ...(mapping === undefined ? {} : { mapping }) } },
  );
}

function notTaken(name: string, reason: string, body: Record<string, unknown> = {}): ApiError {
  const sentence = reason.endsWith('.') ? reason : `${reason}.`;
  return new ApiError(400, 'file_refused', `Nothing is taken of ${name}: ${sentence}`, { body });
}

function refused(outcomes: readonly Outcome[]): ApiError {
  const [{ file, importId } = { file: { name: 'the file' } as ImportedFile, importId: undefined }] = outcomes;
  const refusals = file.report?.refusals.slice(0, REFUSALS_TOLD).map(toldRefusal);
  return notTaken(file.name, file.refusal ?? 'it has no reads', {
    ...(importId === undefined ? {} : { importId }),
    ...(refusals === undefined ? {} : { refusals }),
  });
}

const filesOf = (outcomes: readonly Outcome[]): ImportedFile[] => {
  if (outcomes.every(({ file }) => file.judgement === undefined)) throw refused(outcomes);
  return outcomes.map(({ file }) => file);
};

function busy(): ApiError {
  const message = `This process takes ${AT_ONCE} files at once, and so many are under way; send it again when one has been read.`;
  return new ApiError(503, 'busy', message, { headers: { 'Retry-After': '30' } });
}

function stopped(): ApiError {
  return new ApiError(
    503,
    'unavailable',
    'The API was stopped while the file was read: nothing of it is taken.',
    {
      headers: { 'Retry-After': '5' },
    },
  );
}

function tooSlow(): ApiError {
  const message =
    'Postgres did not answer in time; the file may or may not be taken in: GET /api/ami/imports tells, and sending it again is safe, since the same values change nothing.';
  return new ApiError(503, 'unavailable', message, { headers: { 'Retry-After': '5' } });
}
