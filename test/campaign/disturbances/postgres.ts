import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnPostgres } from '../../support/ownPostgres.js';
import { waitFor } from '../../support/waitFor.js';
import type { Disturbance } from '../campaign.js';
import { BACKENDS } from '../queueServers.js';

const PAUSE_MS = 1_500;

export const postgresStops: Disturbance = {
  about: 'Postgres stopped at once (immediate) and started again',
  backends: BACKENDS,
  rounds: { long: 10, short: 1 },
  async round({ postgres, random }) {
    await sleep(PAUSE_MS * (0.5 + random()));
    await postgres.stop();
    await postgres.startAgain();
  },
};

export const endedSessions: Disturbance = {
  about: 'all sessions of Postgres ended',
  backends: BACKENDS,
  rounds: { long: 20, short: 2 },
  async round({ pool, random }) {
    await sleep(PAUSE_MS * random());
    await pool().query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gridlens%'`,
    );
  },
};

const AWAY_MS = { long: 60_000, short: 4_000 };

export const postgresOutage: Disturbance = {
  about: 'Postgres away for a minute',
  backends: BACKENDS,
  rounds: { long: 1, short: 1 },
  async round({ postgres }, _number, isShort) {
    await sleep(PAUSE_MS);
    await postgres.stop();
    await sleep(isShort ? AWAY_MS.short : AWAY_MS.long);
    await postgres.startAgain();
  },
};

/** By scene: its standby, which takes over. */
const standbys = new WeakMap<OwnPostgres, OwnPostgres>();

/** Commits wait for the standby: what was answered is there after the failover. */
export const postgresFailover: Disturbance = {
  about: 'the primary of Postgres lost, its synchronous standby promoted',
  backends: BACKENDS,
  rounds: { long: 1, short: 1 },
  async beforeStart({ postgres }) {
    const standby = await postgres.startStandby();
    standbys.set(postgres, standby);
    await postgres.run(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await postgres.run('SELECT pg_reload_conf()');
    const { host } = new URL(standby.url);
    return { DATABASE_URL: postgres.url.replace(/(@[^/]+)/, `$1,${host}`) };
  },
  async round({ postgres, moveTo, pool }) {
    const standby = standbys.get(postgres) as OwnPostgres;
    await sleep(2 * PAUSE_MS);
    await postgres.stop();
    // It would wait for a standby of its own.
    await standby.run(`ALTER SYSTEM SET synchronous_standby_names = ''`);
    await standby.run('SELECT pg_reload_conf()');
    await standby.run('SELECT pg_promote()');
    moveTo(standby.url);
    await waitFor('the standby to take writes', async () => {
      const { rows } = await pool().query('SELECT NOT pg_is_in_recovery() AS writes');
      return rows[0].writes as boolean;
    });
  },
  async afterwards(postgres) {
    await standbys.get(postgres)?.remove();
  },
};
