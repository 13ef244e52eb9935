import { ApiError } from '../contracts/errors.js';
import { type Queryable, rethrowUnavailable } from '../db/db.js';
import type { OutgoingRead } from '../intervalFiles/outgoing.js';
import type { ReadsAsked, UnmeasuredRead } from './asked.js';
import { asReads, type ExportedRow, READ_COLUMNS } from './exportedRows.js';
import { publishedLengths, withLengths } from './lengths.js';
import { readsOfMeters } from './readsOfMeters.js';

/** Rows of one page: some 2 MB. It grows where one meter has more. */
const PAGE_ROWS = 5_000;
/** Rows of one meter beyond which its span is not held: eleven days of seconds. */
const MOST_ROWS_OF_METER = 1_000_000;
const QUARTER_MS = 900_000;

/**
 * The reads that are asked for, meter by meter in the order of the table's key, each meter whole and by start. A page is a
 * statement of its own, so memory does not grow with the span, and no transaction stays open while a file is sent.
 *
 * @yields pages of meters, none of them empty.
 * @throws ApiError 400 where one meter has more reads in the span than are held, DependencyUnavailableError.
 */
export async function* readPages(database: Queryable, asked: ReadsAsked): AsyncGenerator<OutgoingRead[][]> {
  const published = await publishedLengths(database, asked).catch(rethrowUnavailable);
  const pages = pagesOf(database, asked);
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

function pagesOf(database: Queryable, asked: ReadsAsked): AsyncGenerator<ExportedRow[]> {
  if (asked.meters !== undefined)
    return pagesOfMeters(
      database,
      asked,
      asked.meters.map((meter) => [meter]),
    );
  // What stood there may be in the history alone, in the order of no table of a customer's.
  if (asked.asOf !== undefined) return pagesOfMeters(database, asked, metersOf(database, asked));
  return pagesOfAll(database, asked);
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
        `SELECT ${READ_COLUMNS} FROM ami_exported_reads($1, $2, $3, $4) read WHERE ($5::text IS NULL OR feeder_id = $5) LIMIT $6`,
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
  { onUnknown, ...asked }: ReadsAsked,
  meters: AsyncIterable<readonly string[]> | readonly (readonly string[])[],
): AsyncGenerator<ExportedRow[]> {
  for await (const some of meters) {
    const rows = await readsOfMeters(database, asked, some, MOST_ROWS_OF_METER + 1);
    if (rows.length > MOST_ROWS_OF_METER) doubled(MOST_ROWS_OF_METER, some[0] as string);
    const known = rows.filter(
      ({ isUnknown, feederId }) =>
        !isUnknown && (asked.feederId === undefined || feederId === asked.feederId),
    );
    onUnknown?.(rows.filter(({ isUnknown }) => isUnknown).length);
    if (known.length > 0) yield known;
  }
}

/** Meters that have reads, or had some: those of a page have about as many reads as one page has. */
async function* metersOf(database: Queryable, { tenantId, from, to }: ReadsAsked): AsyncGenerator<string[]> {
  const most = Math.max(1, Math.floor((PAGE_ROWS * QUARTER_MS) / (to.getTime() - from.getTime())));
  let after: string | null = null;
  for (;;) {
    const { rows }: { rows: { meterId: string }[] } = await database
      .query<{ meterId: string }>(
        `SELECT meter_id AS "meterId" FROM ami_known_meters
         WHERE tenant_id = $1 AND ($2::text IS NULL OR meter_id > $2) ORDER BY meter_id LIMIT $3`,
        [tenantId, after, most],
      )
      .catch(rethrowUnavailable);
    if (rows.length > 0) yield rows.map(({ meterId }) => meterId);
    if (rows.length < most) return;
    after = (rows.at(-1) as { meterId: string }).meterId;
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
