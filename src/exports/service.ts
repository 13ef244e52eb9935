import { type ExportQuery, MOST_EXPORT_DAYS, metersAsked } from '../contracts/exportRequest.js';
import type { Database } from '../db/db.js';
import type { FileCounts, Piece } from '../intervalFiles/outgoing.js';
import { WRITTEN_FORMATS } from '../intervalFiles/writeFile.js';
import { exportFile, planExport } from './exports.js';

/** An export whose first reads are there. */
export interface OpenExport {
  /** Of the file. */
  name: string;
  pieces: AsyncIterable<Piece>;
  /** What became of the reads; whole once the pieces have been taken. */
  counts: () => FileCounts;
}

/** What the route asks. */
export function createExportService(database: Database, now: () => Date) {
  return {
    /**
     * Checks what is asked, and reads the first page: what is wrong then can still be answered.
     *
     * @throws ApiError 400 that names the field, DependencyUnavailableError.
     */
    async open(query: ExportQuery): Promise<OpenExport> {
      const plan = await planExport(database, { ...query, meters: metersAsked(query) }, MOST_EXPORT_DAYS);
      const { writer, pieces } = exportFile(database, plan, plan.days, now());
      const first = [await pieces.next(), await pieces.next()];
      const { tenantId, from, to, format } = query;
      return {
        name: `${tenantId}_${from}_${to}.${WRITTEN_FORMATS[format].ending}`,
        pieces: (async function* () {
          for (const { done, value } of first) if (!done) yield value;
          yield* pieces;
        })(),
        counts: () => writer.tally.counts(),
      };
    },
  };
}

export type ExportService = ReturnType<typeof createExportService>;
