import type { FleetSettings } from '../contracts/autoRequests.js';
import type { IntervalMinutes } from '../contracts/limits.js';
import type { Queryable } from '../db.js';
import type { Replay } from '../emulator/replayClock.js';

/** How a tenant's automatic mode is set. */
export interface AutoConfig extends FleetSettings {
  enabled: boolean;
  /** Aligned intervals that catch-up looks back over, the running one included. */
  catchUpIntervals: number;
  /** Since when it has been enabled without a pause. */
  startedAt: Date;
  changedAt: Date;
  /** Null when none is under way. */
  replay: Replay | null;
}

const COLUMNS = `tenant_id AS "tenantId", enabled, interval_minutes AS "intervalMinutes", batch_size AS "batchSize",
  meter_count AS "meterCount", feeder_count AS "feederCount", fleet, seed, time_zone AS "timeZone", climate,
  catch_up_intervals AS "catchUpIntervals", started_at AS "startedAt", changed_at AS "changedAt",
  replay_from, replay_anchor, replay_speed, replay_next`;

type Row = Omit<AutoConfig, 'replay'> & {
  replay_from: Date | null;
  replay_anchor: Date;
  replay_speed: number;
  replay_next: Date;
};

function toConfig({
  replay_from: from,
  replay_anchor,
  replay_speed,
  replay_next,
  ...config
}: Row): AutoConfig {
  const replay =
    from === null ? null : { from, anchor: replay_anchor, speed: replay_speed, next: replay_next };
  return { ...config, replay };
}

/** A tenant's configuration, enabled or not; undefined when it was never started. */
export async function findAutoConfig(client: Queryable, tenantId: string): Promise<AutoConfig | undefined> {
  const { rows } = await client.query<Row>({
    name: 'find-auto-config',
    text: `SELECT ${COLUMNS} FROM ami_auto WHERE tenant_id = $1`,
    values: [tenantId],
  });
  return rows[0] && toConfig(rows[0]);
}

/** All that are enabled, by tenant. */
export async function enabledConfigs(client: Queryable): Promise<AutoConfig[]> {
  const { rows } = await client.query<Row>({
    name: 'enabled-auto-configs',
    text: `SELECT ${COLUMNS} FROM ami_auto WHERE enabled ORDER BY tenant_id`,
  });
  return rows.map(toConfig);
}

/** Who should have a scheduler. */
export async function enabledTenants(
  client: Queryable,
): Promise<{ tenantId: string; intervalMinutes: IntervalMinutes }[]> {
  const { rows } = await client.query<{ tenantId: string; intervalMinutes: IntervalMinutes }>(
    `SELECT tenant_id AS "tenantId", interval_minutes AS "intervalMinutes" FROM ami_auto
     WHERE enabled ORDER BY tenant_id`,
  );
  return rows;
}

/** Stores a tenant's configuration in place of what was there. */
export async function saveAutoConfig(client: Queryable, config: AutoConfig): Promise<void> {
  const { replay } = config;
  await client.query(
    `INSERT INTO ami_auto (tenant_id, enabled, interval_minutes, batch_size, meter_count, feeder_count, fleet, seed,
       time_zone, climate, catch_up_intervals, started_at, changed_at, replay_from, replay_anchor, replay_speed, replay_next)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
     ON CONFLICT (tenant_id) DO UPDATE SET
       enabled = excluded.enabled, interval_minutes = excluded.interval_minutes, batch_size = excluded.batch_size,
       meter_count = excluded.meter_count, feeder_count = excluded.feeder_count, fleet = excluded.fleet,
       seed = excluded.seed, time_zone = excluded.time_zone, climate = excluded.climate,
       catch_up_intervals = excluded.catch_up_intervals, started_at = excluded.started_at,
       changed_at = excluded.changed_at, replay_from = excluded.replay_from, replay_anchor = excluded.replay_anchor,
       replay_speed = excluded.replay_speed, replay_next = excluded.replay_next`,
    [
      config.tenantId,
      config.enabled,
      config.intervalMinutes,
      config.batchSize,
      config.meterCount,
      config.feederCount,
      config.fleet,
      config.seed,
      config.timeZone,
      config.climate,
      config.catchUpIntervals,
      config.startedAt,
      config.changedAt,
      replay?.from ?? null,
      replay?.anchor ?? null,
      replay?.speed ?? null,
      replay?.next ?? null,
    ],
  );
}

/** Answers whether it was enabled. */
export async function disableAuto(client: Queryable, tenantId: string, at: Date): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_auto SET enabled = false, changed_at = $2,
       replay_from = NULL, replay_anchor = NULL, replay_speed = NULL, replay_next = NULL
     WHERE tenant_id = $1 AND enabled`,
    [tenantId, at],
  );
  return rowCount === 1;
}

/**
 * Keeps a tenant from being stopped until the transaction ends; answers whether it is enabled, and stays so. What is
 * published for it by itself is accepted only under this, so that nothing is after a stop was answered.
 */
export async function holdEnabled(client: Queryable, tenantId: string): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'hold-enabled',
    text: 'SELECT FROM ami_auto WHERE tenant_id = $1 AND enabled FOR SHARE',
    values: [tenantId],
  });
  return rowCount === 1;
}

/** Moves a replay on from the interval at `from`; answers false when it is not there (any more). */
export async function advanceReplay(
  client: Queryable,
  tenantId: string,
  from: Date,
  to: Date,
): Promise<boolean> {
  const { rowCount } = await client.query(
    'UPDATE ami_auto SET replay_next = $3 WHERE tenant_id = $1 AND enabled AND replay_next = $2',
    [tenantId, from, to],
  );
  return rowCount === 1;
}

/** Ends a replay that has come to `next`; from there on the scheduler's ticks take over. */
export async function endReplay(client: Queryable, tenantId: string, next: Date): Promise<void> {
  await client.query(
    `UPDATE ami_auto SET replay_from = NULL, replay_anchor = NULL, replay_speed = NULL, replay_next = NULL
     WHERE tenant_id = $1 AND replay_next = $2`,
    [tenantId, next],
  );
}
