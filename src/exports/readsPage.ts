import { ApiError, invalidField } from '../contracts/errors.js';
import { metersAsked } from '../contracts/exportRequest.js';
import { MOST_READS_DAYS, placeText, type ReadsPlace, type ReadsQuery } from '../contracts/readsRequest.js';
import { requireSpan } from '../contracts/seriesRequest.js';
import { type Database, type Queryable, rethrowUnavailable } from '../db/db.js';
import { asReads } from './exportedRows.js';
import { meterWithoutReads } from './exports.js';
import { publishedLengths, withLengths } from './lengths.js';
import { type RowOfMeter, readsOfMeters } from './readsOfMeters.js';

/** Meters of one statement: of 62 days of five minutes some 70,000 rows. */
const METERS_AT_ONCE = 4;
/** Rows of one statement: four meters of a minute. */
const MOST_ROWS = 400_000;

/** What the route asks. */
export function createReadsService(database: Database) {
  return {
    /**
     * A page of the reads of some meters, as they are or as they stood at an instant.
     *
     * @throws ApiError 400 that names the field, 404 for a meter without reads, DependencyUnavailableError.
     */
    async page(query: ReadsQuery) {
      const { tenantId, from, to, asOf, limit, after } = query;
      requireSpan(from, to, MOST_READS_DAYS);
      const meters = metersAsked(query);
      if (meters === undefined)
        throw invalidField('meters', 'must name the meters, with commas between them, or meter each of them');
      const unknown = await meterWithoutReads(database, tenantId, meters);
      if (unknown !== undefined)
        throw new ApiError(404, 'not_found', `Tenant ${tenantId} has no reads of a meter ${unknown}.`);
      const found = await rowsOf(database, query, metersFrom(meters, after), limit);
      const page = found.slice(0, pageEnd(found, limit));
      const last = found.length > page.length ? page.at(-1) : undefined;
      return {
        ...{ tenantId, from, to, asOf: asOf ?? null },
        reads: page.filter(({ isUnknown }) => !isUnknown).map(shown),
        unknown: page.filter(({ isUnknown }) => isUnknown).length,
        ...(last === undefined ? {} : { next: placeText(last) }),
      };
    },
  };
}

export type ReadsService = ReturnType<typeof createReadsService>;

/** The meters that a page may have: from the one on that the page before ended in. One that was not asked for has none behind it. */
function metersFrom(meters: readonly string[], after: ReadsPlace | undefined): readonly string[] {
  if (after === undefined) return meters;
  const place = meters.indexOf(after.meterId);
  return place < 0 ? [] : meters.slice(place);
}

/** More reads than a page has, where there are as many. An interval's length is a matter of all reads of its meter in the span. */
async function rowsOf(
  database: Queryable,
  { tenantId, from, to, asOf, quality, after }: ReadsQuery,
  meters: readonly string[],
  limit: number,
) {
  const published = await publishedLengths(database, { tenantId, from, to }).catch(rethrowUnavailable);
  const found: MeasuredRow[] = [];
  for (let first = 0; first < meters.length && found.length <= limit; first += METERS_AT_ONCE) {
    const some = meters.slice(first, first + METERS_AT_ONCE);
    const rows = await readsOfMeters(database, { tenantId, from, to, asOf }, some, MOST_ROWS);
    if (rows.length === MOST_ROWS)
      throw invalidField('from', 'must lie nearer to to: the meters have too many reads in the span');
    for (const meterId of some) {
      const measured = withLengths(asReads(rows.filter((row) => row.meterId === meterId)), published);
      for (const row of measured as MeasuredRow[])
        if (isBehind(row, after) && (quality?.includes(row.quality.kind) ?? true)) found.push(row);
    }
  }
  return found;
}

type MeasuredRow = ReturnType<typeof withLengths>[number] & Pick<RowOfMeter, 'replacedUs' | 'isUnknown'>;

function isBehind({ meterId, startUs }: MeasuredRow, after: ReadsPlace | undefined): boolean {
  return after === undefined || meterId !== after.meterId || startUs > after.startUs;
}

/** Where a page ends: a place tells a read by its start, so those of one start stay together. */
function pageEnd(found: readonly MeasuredRow[], limit: number): number {
  let end = Math.min(limit, found.length);
  for (; end < found.length; end += 1) {
    const [last, next] = [found[end - 1], found[end]];
    if (last?.meterId !== next?.meterId || last?.startUs !== next?.startUs) break;
  }
  return end;
}

const instant = (us: number | null): Date | null => (us === null ? null : new Date(us / 1000));
const number = (text: string | null): number | null => (text === null ? null : Number(text));

function shown({ quality, ...read }: MeasuredRow) {
  return {
    ...{
      meterId: read.meterId,
      feederId: read.feederId,
      start: instant(read.startUs),
      minutes: read.minutes,
    },
    ...{ kwh: number(read.kwh), receivedKwh: number(read.receivedKwh) },
    ...{ deliveredKwh: number(read.deliveredKwh), voltage: number(read.voltage) },
    quality: quality.kind,
    ...(quality.method === undefined ? {} : { method: quality.method }),
    writtenAt: instant(read.revisedUs ?? read.writtenUs),
    ...(read.replacedUs === null ? {} : { replacedAt: instant(read.replacedUs) }),
  };
}
