import { ApiError } from '../contracts/errors.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { pacedRate } from '../pacing/pace.js';
import { cancelImport, settleImports } from './openImports.js';
import { importProgress, keptRefusals, listImports } from './progress.js';
import { type ImportDetails, importAnswer, importDetails, refusalAnswer } from './progressAnswer.js';

/** A tenant has few; the latest are of interest. */
const LISTED = 50;
const REFUSALS_TOLD = 1_000;

/** Imports are watched and cancelled here; `importFile.ts` makes them, the worker's supplier (`supplier.ts`) writes them. */
export function createImportService({
  database,
  maxReadsPerSecond,
}: {
  database: Database;
  maxReadsPerSecond: number;
}) {
  const rate = pacedRate(maxReadsPerSecond);
  const find = async (importId: number, refusalsTold = REFUSALS_TOLD): Promise<ImportDetails | undefined> => {
    const found = await importProgress(database, importId).catch(rethrowUnavailable);
    if (found === undefined) return undefined;
    const refusals = await keptRefusals(database, importId, refusalsTold).catch(rethrowUnavailable);
    return importDetails(found, refusals, rate);
  };

  return {
    /** How far an import is, with its first refusals; undefined when there is no such one. */
    find,

    /**
     * A page of an import's refusals, by line. `next` is there when more follow: what to ask for them with, as `after`.
     *
     * @throws ApiError 404 when there is no such import.
     */
    async refusals(importId: number, { limit, after }: { limit: number; after?: number | undefined }) {
      const found = await importProgress(database, importId).catch(rethrowUnavailable);
      if (found === undefined) throw unknown(importId);
      const kept = await keptRefusals(database, importId, limit + 1, after).catch(rethrowUnavailable);
      const page = kept.slice(0, limit);
      return {
        tenantId: found.tenantId,
        importId,
        refusals: page.map(refusalAnswer),
        ...(kept.length > limit ? { next: page.at(-1)?.number as number } : {}),
      };
    },

    /** A tenant's imports, the latest first. */
    async list(tenantId: string) {
      const found = await listImports(database, tenantId, LISTED).catch(rethrowUnavailable);
      return { tenantId, imports: found.map((one) => importAnswer(one, rate)) };
    },

    /**
     * Ends an import: what is not written by then is left. One that is over stays as it is.
     *
     * @throws ApiError 404 when there is no such one.
     */
    async cancel(importId: number): Promise<ImportDetails> {
      await cancelImport(database, importId)
        .then(() => settleImports(database))
        .catch(rethrowUnavailable);
      const found = await find(importId);
      if (found) return found;
      throw unknown(importId);
    },
  };
}

export function unknown(importId: number): ApiError {
  return new ApiError(404, 'not_found', `importId ${importId} is not known: no import has it.`);
}

export type ImportService = ReturnType<typeof createImportService>;
