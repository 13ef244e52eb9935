/**
 * Room: exports. Promises: reads go out as files that others read and our own readers have back, streamed, with every value
 * that a format cannot carry counted and told.
 */

import { createHash } from 'node:crypto';
import { invalidField } from '../contracts/errors.js';
import type { ExportFormat, ExportQuality } from '../contracts/exportRequest.js';
import { type Database, type Queryable, rethrowUnavailable } from '../db/db.js';
import type { FileWriter, Piece } from '../intervalFiles/outgoing.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';
import { fileWriter, NEM_ZONE } from '../intervalFiles/writeFile.js';
import { readPages } from './readPages.js';

/** What is to be exported. */
export interface ExportAsked {
  tenantId: string;
  format: ExportFormat;
  /** First and last local day, `2026-01-31`. */
  from: string;
  to: string;
  /** UTC unless told; NEM12 has one of its own. */
  zone?: string | undefined;
  meters?: readonly string[] | undefined;
  feederId?: string | undefined;
  quality?: readonly ExportQuality[] | undefined;
  /** The reads as they stood then; as they are now where it is left out. */
  asOf?: Date | undefined;
}

/** An export that has been checked: its days, as clock's ms of their midnights. */
export interface ExportPlan extends Omit<ExportAsked, 'zone'> {
  zone: LocalZone;
  days: readonly number[];
}

const MS_PER_DAY = 86_400_000;

/**
 * Checks what one field alone cannot tell, and that there are such meters and such a feeder.
 *
 * @throws ApiError 400 that names the field, DependencyUnavailableError.
 */
export async function planExport(
  database: Database,
  asked: ExportAsked,
  mostDays: number,
): Promise<ExportPlan> {
  const zone = zoneOf(asked);
  const [first, last] = [asked.from, asked.to].map((day) => Date.parse(day)) as [number, number];
  if (first > last) throw invalidField('from', `must not lie after to, which is ${asked.to}`);
  const count = (last - first) / MS_PER_DAY + 1;
  if (count > mostDays) throw invalidField('from', `must lie within ${mostDays} days before to`);
  await requireKnown(database, asked).catch(rethrowUnavailable);
  return { ...asked, zone, days: Array.from({ length: count }, (_, place) => first + place * MS_PER_DAY) };
}

function zoneOf({ zone, format }: ExportAsked): LocalZone {
  const name = zone ?? (format === 'nem12' ? NEM_ZONE : 'UTC');
  if (format === 'nem12' && name !== NEM_ZONE)
    throw invalidField('zone', `must be ${NEM_ZONE} or left out with nem12, whose days are of that clock`);
  try {
    return new LocalZone(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidField('zone', 'must be a time zone, for example "America/New_York", "UTC" or "+10:00"');
  }
}

/** The first of some meters that the tenant has never had a read of. @throws DependencyUnavailableError. */
export async function meterWithoutReads(
  database: Queryable,
  tenantId: string,
  meters: readonly string[],
): Promise<string | undefined> {
  const { rows } = await database
    .query<{ meterId: string }>(
      `SELECT asked AS "meterId" FROM unnest($2::text[]) AS asked
       WHERE NOT EXISTS (SELECT FROM ami_known_meters WHERE tenant_id = $1 AND meter_id = asked) LIMIT 1`,
      [tenantId, meters],
    )
    .catch(rethrowUnavailable);
  return rows[0]?.meterId;
}

/** A name that is mistyped would else be an empty file. */
async function requireKnown(database: Queryable, { tenantId, meters, feederId }: ExportAsked): Promise<void> {
  const unknown = meters && (await meterWithoutReads(database, tenantId, meters));
  if (unknown !== undefined)
    throw invalidField('meters', `must have reads: tenant ${tenantId} has none of a meter ${unknown}`);
  if (feederId === undefined) return;
  const { rows } = await database.query<{ isKnown: boolean }>(
    `SELECT EXISTS (SELECT FROM ami_feeder_days WHERE tenant_id = $1 AND feeder_id = $2) AS "isKnown"`,
    [tenantId, feederId],
  );
  if (!rows[0]?.isKnown)
    throw invalidField('feederId', `must have reads: tenant ${tenantId} has none of a feeder ${feederId}`);
}

/** One file of an export while it is written. */
export interface ExportFile {
  writer: FileWriter;
  pieces: AsyncGenerator<Piece>;
}

/** The file of some of an export's days. Nothing is read before its pieces are. */
export function exportFile(
  database: Queryable,
  plan: ExportPlan,
  days: readonly number[],
  now: Date,
): ExportFile {
  const { zone, format, tenantId, meters, feederId, quality, asOf } = plan;
  const [first, last] = [days[0] as number, days.at(-1) as number];
  const writer = fileWriter(format, {
    title: `${tenantId} ${shownDay(first)} to ${shownDay(last)}`,
    ...{ zone, days, now: now.getTime(), uuidOf },
  });
  const asked = {
    ...{ tenantId, meters, feederId, qualities: quality, asOf },
    onUnknown: (reads: number) => writer.tally.leave('unknown', reads),
    from: new Date(zone.startOf(first)),
    to: new Date(zone.startOf(last + MS_PER_DAY)),
  };
  const pieces = async function* (): AsyncGenerator<Piece> {
    yield writer.begin();
    for await (const page of readPages(database, asked)) yield writer.take(page);
    yield writer.end();
  };
  return { writer, pieces: pieces() };
}

/** A clock's midnight as `2026-01-31`. */
export function shownDay(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

/** Of version 8, whose bits are the maker's own: a hash of the text. */
function uuidOf(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`];
  return [...parts, hash.slice(20, 32)].join('-');
}
