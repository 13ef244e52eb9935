import { canonicalEmulation, type Emulation } from '../contracts/emulation.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import type { IntervalMinutes } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import { emulationColumn, emulationValues } from '../ledger/emulationColumns.js';
import type { Replay } from './replayClock.js';

/** How a tenant's automatic mode is set. */
export interface AutoConfig extends FleetSettings {
  enabled: boolean;
  /** Aligned intervals that catch-up looks back over, the running one included. */
  catchUpIntervals: number;
  /** Since when it has been enabled without a pause. */
  startedAt: Date;
  changedAt: Date;
  /** Null when no replay is under way. */
  replay: Replay | null;
  /** The replay that the last start asked for, kept when the replay is over; null when it asked for none. */
  replayAsked: ReplayAsked | null;
}

export interface ReplayAsked {
  from: Date;
  /** The speed before it was held to what the deployment can write. */
  speed: number;
}

const COLUMNS = `tenant_id AS "tenantId", enabled, interval_minutes AS "intervalMinutes", batch_size AS "batchSize",
  meter_count AS "meterCount", feeder_count AS "feederCount", fleet, seed, time_zone AS "timeZone", climate,
  catch_up_intervals AS "catchUpIntervals", started_at AS "startedAt", changed_at AS "changedAt",
  replay_from, replay_anchor, replay_speed, replay_next, replay_asked_from, replay_asked_speed,
  ${emulationColumn('ami_auto')}`;

type Row = Omit<AutoConfig, 'replay' | 'replayAsked' | 'emulation'> & {
  emulation: Emulation;
  replay_asked_from: Date | null;
  replay_asked_speed: number;
  replay_from: Date | null;
  replay_anchor: Date;
  replay_speed: number;
  replay_next: Date;
};

function toConfig(row: Row): AutoConfig {
  const {
    replay_from,
    replay_anchor,
    replay_speed,
    replay_next,
    replay_asked_from,
    replay_asked_speed,
    emulation,
    ...config
  } = row;
  return Object.assign(config, {
    emulation: canonicalEmulation(emulation),
    replay:
      replay_from === null
        ? null
        : { from: replay_from, anchor: replay_anchor, speed: replay_speed, next: replay_next },
    replayAsked: replay_asked_from === null ? null : { from: replay_asked_from, speed: replay_asked_speed },
  });
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
  const { replay, replayAsked } = config;
  await client.query(
    `INSERT INTO ami_auto (tenant_id, enabled, interval_minutes, batch_size, meter_count, feeder_count, fleet, seed,
       time_zone, climate, catch_up_intervals, started_at, changed_at, replay_from, replay_anchor, replay_speed, replay_next,
       replay_asked_from, replay_asked_speed, model, place, der, network, customers)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
     ON CONFLICT (tenant_id) DO UPDATE SET
       enabled = excluded.enabled, interval_minutes = excluded.interval_minutes, batch_size = excluded.batch_size,
       meter_count = excluded.meter_count, feeder_count = excluded.feeder_count, fleet = excluded.fleet,
       seed = excluded.seed, time_zone = excluded.time_zone, climate = excluded.climate,
       catch_up_intervals = excluded.catch_up_intervals, started_at = excluded.started_at,
       changed_at = excluded.changed_at, replay_from = excluded.replay_from, replay_anchor = excluded.replay_anchor,
       replay_speed = excluded.replay_speed, replay_next = excluded.replay_next,
       replay_asked_from = excluded.replay_asked_from, replay_asked_speed = excluded.replay_asked_speed,
       model = excluded.model, place = excluded.place, der = excluded.der, network = excluded.network,
       customers = excluded.customers`,
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
      replayAsked?.from ?? null,
      replayAsked?.speed ?? null,
      ...emulationValues(config.emulation),
    ],
  );
}

/** Answers whether it was enabled. */
export async function disableAuto(client: Queryable, tenantId: string, at: Date): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_auto SET enabled = false, changed_at = $2,
       replay_from = NULL, replay_anchor = NULL, replay_speed = NULL, replay_next = NULL,
       replay_asked_from = NULL, replay_asked_speed = NULL
     WHERE tenant_id = $1 AND enabled`,
    [tenantId, at],
  );
  return rowCount === 1;
}

/**
 * Keeps a tenant's configuration from changing until the transaction ends; answers whether the tenant is enabled and
 * unchanged since the configuration was read. Automatic publishes are accepted only under this hold: none after a stop
 * was answered, and none with settings that were replaced.
 */
export async function holdConfig(
  client: Queryable,
  { tenantId, changedAt }: Pick<AutoConfig, 'tenantId' | 'changedAt'>,
): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'hold-config',
    text: 'SELECT FROM ami_auto WHERE tenant_id = $1 AND enabled AND changed_at = $2 FOR SHARE',
    values: [tenantId, changedAt],
  });
  return rowCount === 1;
}

/** Moves a replay on from the interval at `from`; answers false when the replay is not at that interval. */
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

/** Ends a replay that has come to `next`. From there on the scheduler's ticks take over, as after a start. */
export async function endReplay(client: Queryable, tenantId: string, next: Date, at: Date): Promise<void> {
  await client.query(
    `UPDATE ami_auto SET changed_at = $3, replay_from = NULL, replay_anchor = NULL, replay_speed = NULL, replay_next = NULL
     WHERE tenant_id = $1 AND replay_next = $2`,
    [tenantId, next, at],
  );
}
