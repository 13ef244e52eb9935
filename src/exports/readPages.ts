import { ApiError } from '../contracts/errors.js';
import { type Queryable, rethrowUnavailable } from '../db/db.js';
import type { OutgoingRead } from '../intervalFiles/outgoing.js';
import { type QualityKind, RAW } from '../intervalFiles/quality.js';
import type { ReadsAsked, UnmeasuredRead } from './asked.js';
import { publishedLengths, withLengths } from './lengths.js';

/** A row as `ami_exported_reads` answers it. */
interface ExportedRow {
  meterId: string;
  feederId: string;
  startUs: number;
  kwh: string | null;
  deliveredKwh: string | null;
  voltage: string | null;
  flags: string[];
  writtenUs: number | null;
  revisedUs: number | null;
  receivedKwh: string | null;
  minutes: number | null;
  quality: QualityKind | null;
  qualityMethod: string | null;
}

/** Rows of one page: some 2 MB. It grows where one meter has more. */
const PAGE_ROWS = 5_000;
/** Rows of one meter beyond which its span is not held: eleven days of seconds. */
const MOST_ROWS_OF_METER = 1_000_000;

const COLUMNS = `meter_id AS "meterId", feeder_id AS "feederId", start_us AS "startUs", kwh,
  delivered_kwh AS "deliveredKwh", voltage, flags, written_us AS "writtenUs", revised_us AS "revisedUs",
  received_kwh AS "receivedKwh", interval_minutes AS minutes, quality, quality_method AS "qualityMethod"`;

/**
 * The reads that are asked for, meter by meter in the order of the table's key, each meter whole and by start. A page is a
 * statement of its own, so memory does not grow with the span, and no transaction stays open while a file is sent.
 *
 * @yields pages of meters, none of them empty.
 * @throws ApiError 400 where one meter has more reads in the span than are held, DependencyUnavailableError.
 */
export async function* readPages(database: Queryable, asked: ReadsAsked): AsyncGenerator<OutgoingRead[][]> {
  const published = await publishedLengths(database, asked).catch(rethrowUnavailable);
  const pages =
    asked.meters === undefined ? pagesOfAll(database, asked) : pagesOfMeters(database, asked, asked.meters);
  for await (const rows of pages) {
    const meters = byMeter(asReads(rows)).flatMap((reads) => {
      // An interval's length is a matter of all reads of the meter, whichever are asked for.
      const kept = withLengths(reads, published).filter(
        ({ quality }) => asked.qualities?.includes(quality.kind) ?? true,
      );
      return kept.length === 0 ? [] : [kept];
    });
    if (meters.length > 0) yield meters;
  }
}

/** What the table's columns mean. Emulated reads and a customer's own have no quality and no length: they are raw. */
function asReads(rows: readonly ExportedRow[]): UnmeasuredRead[] {
  return rows.map(({ quality: kind, qualityMethod: method, ...row }) => ({
    ...row,
    quality: kind === null ? RAW : { kind, ...(method === null ? {} : { method }) },
  }));
}

async function* pagesOfAll(
  database: Queryable,
  { tenantId, from, to, feederId }: ReadsAsked,
): AsyncGenerator<ExportedRow[]> {
  let after: string | null = null;
  let most = PAGE_ROWS;
  for (;;) {
    const { rows }: { rows: ExportedRow[] } = await database
      .query<ExportedRow>(
        `SELECT ${COLUMNS} FROM ami_exported_reads($1, $2, $3, $4) WHERE ($5::text IS NULL OR feeder_id = $5) LIMIT $6`,
        [tenantId, after, from, to, feederId ?? null, most],
      )
      .catch(rethrowUnavailable);
    if (rows.length < most) {
      if (rows.length > 0) yield rows;
      return;
    }
    // The last meter may go on beyond the page, also with reads of the same start: it comes whole in the next one.
    const last = (rows.at(-1) as ExportedRow).meterId;
    const whole = rows.findIndex(({ meterId }) => meterId === last);
    if (whole === 0) most = doubled(most, last);
    else {
      after = (rows[whole - 1] as ExportedRow).meterId;
      yield rows.slice(0, whole);
    }
  }
}

function doubled(most: number, meterId: string): number {
  if (most < MOST_ROWS_OF_METER) return most * 2;
  throw new ApiError(
    400,
    'invalid_request',
    `Meter ${meterId} has more than ${MOST_ROWS_OF_METER} reads in this span, which are not held at once: ask for fewer days.`,
  );
}

async function* pagesOfMeters(
  database: Queryable,
  { tenantId, from, to, feederId }: ReadsAsked,
  meters: readonly string[],
): AsyncGenerator<ExportedRow[]> {
  for (const meter of meters) {
    const { rows } = await database
      .query<ExportedRow>(
        `SELECT ${COLUMNS} FROM ami_exported_reads_of_meter($1, $2, $3, $4)
         WHERE ($5::text IS NULL OR feeder_id = $5) LIMIT $6`,
        [tenantId, meter, from, to, feederId ?? null, MOST_ROWS_OF_METER + 1],
      )
      .catch(rethrowUnavailable);
    if (rows.length > MOST_ROWS_OF_METER) doubled(MOST_ROWS_OF_METER, meter);
    if (rows.length > 0) yield rows;
  }
}

function byMeter(reads: readonly UnmeasuredRead[]): UnmeasuredRead[][] {
  const meters: UnmeasuredRead[][] = [];
  let last: UnmeasuredRead[] | undefined;
  for (const read of reads) {
    if (last?.[0]?.meterId === read.meterId) last.push(read);
    else {
      last = [read];
      meters.push(last);
    }
  }
  return meters;
}
