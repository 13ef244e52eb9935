import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DEFAULT_TIME_ZONE } from '../contracts/place.js';
import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { countAlone } from './countAlone.js';
import { type ZoneSpan, zoneSpans } from './zoneSpans.js';

/** By whose days a tenant's reads are counted. */
export interface TenantZone {
  timeZone: string;
  /** The zone that comes into force when the days have been counted by it; null when none is due. */
  nextTimeZone: string | null;
}

/** A zone with the rules of this Node. */
interface Clock {
  /** The zone and a hash of its rules; null where its days are those of UTC. */
  name: string | null;
  spans: readonly ZoneSpan[];
}

/** Working one out asks Intl 18,000 times, some 60 ms. */
const clocks = new LRUCache<string, Clock>({ max: 64 });

/** @throws RangeError where `timeZone` is no zone of the IANA database. */
function clockOf(timeZone: string): Clock {
  const known = clocks.get(timeZone);
  if (known) return known;
  const spans = zoneSpans(timeZone);
  const rules = createHash('sha256').update(JSON.stringify(spans)).digest('hex').slice(0, 8);
  const clock = { name: spans.length === 0 ? null : `${timeZone} ${rules}`, spans };
  clocks.set(timeZone, clock);
  return clock;
}

/** The zone of a tenant: UTC where none was set. */
export async function tenantZone(database: Queryable, tenantId: string): Promise<TenantZone> {
  const { rows } = await database.query<TenantZone>({
    name: 'tenant-zone',
    text: `SELECT time_zone AS "timeZone", next_zone AS "nextTimeZone" FROM ami_tenant_zones WHERE tenant_id = $1`,
    values: [tenantId],
  });
  return rows[0] ?? { timeZone: DEFAULT_TIME_ZONE, nextTimeZone: null };
}

/**
 * Says by whose days a tenant's reads are to be counted. A tenant without reads has them at once; else they come into
 * force when `changeDueZones` has counted the days anew, and until then every answer is by the zone before.
 *
 * @throws RangeError where `timeZone` is no zone of the IANA database.
 */
export async function requestZone(
  database: Database,
  tenantId: string,
  timeZone: string,
): Promise<TenantZone> {
  const clock = clockOf(timeZone);
  return withTransaction(database, async (client) => {
    await keepSpans(client, clock);
    await client.query(
      `INSERT INTO ami_tenant_zones AS zone (tenant_id, time_zone, next_zone, next_clock) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id) DO UPDATE SET (next_zone, next_clock) = (
         SELECT excluded.next_zone, excluded.next_clock
         WHERE (zone.time_zone, zone.clock) IS DISTINCT FROM (excluded.next_zone, excluded.next_clock))`,
      [tenantId, DEFAULT_TIME_ZONE, timeZone, clock.name],
    );
    await client.query('SELECT ami_change_zone_without_reads($1)', [tenantId]);
    return tenantZone(client, tenantId);
  });
}

/** Spans are never changed, so whoever comes second finds them. */
async function keepSpans(client: Queryable, { name, spans }: Clock): Promise<void> {
  if (name === null) return;
  await client.query(
    `INSERT INTO ami_zone_spans (clock, starts_at, first_day, days)
     SELECT $1, to_timestamp(starts_at / 1000), first_day, days
     FROM unnest($2::double precision[], $3::date[], $4::integer[]) AS span (starts_at, first_day, days)
     ON CONFLICT DO NOTHING`,
    [
      name,
      spans.map(({ startsAt }) => startsAt),
      spans.map(({ firstDay }) => firstDay),
      spans.map(({ days }) => days),
    ],
  );
}

/**
 * Counts the days of tenants by the zones that are due, each tenant in a transaction of its own: one that is cut off has
 * changed nothing, and is done again.
 *
 * @param until instant of `performance.now()`: no tenant is begun after it.
 * @returns the tenants whose zone is now in force.
 */
export async function changeDueZones(database: Database, until: number): Promise<string[]> {
  const { rows } = await database.query<{ tenantId: string }>(
    `SELECT tenant_id AS "tenantId" FROM ami_tenant_zones WHERE next_zone IS NOT NULL ORDER BY tenant_id`,
  );
  const changed: string[] = [];
  for (const { tenantId } of rows) {
    if (performance.now() > until) break;
    if (await countAlone(database, 'SELECT ami_change_zone($1) AS "isDone"', tenantId))
      changed.push(tenantId);
  }
  return changed;
}

/**
 * Has the days of tenants counted anew whose zone has other rules in this Node than those they were counted by. Zones
 * change their rules a few times a year, mostly for days to come.
 */
export async function requestNewRules(database: Database): Promise<void> {
  const { rows } = await database.query<{ tenantId: string; timeZone: string; clock: string | null }>(
    `SELECT tenant_id AS "tenantId", time_zone AS "timeZone", clock FROM ami_tenant_zones WHERE next_zone IS NULL`,
  );
  for (const { tenantId, timeZone, clock } of rows)
    if (clockOf(timeZone).name !== clock) await requestZone(database, tenantId, timeZone);
}
