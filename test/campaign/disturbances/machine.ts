import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountSmallDisk, noSmallDisk, run, type SmallDisk } from '../../support/smallDisk.js';
import type { Disturbance } from '../campaign.js';
import type { Fleet } from '../fleet.js';
import { BACKENDS } from '../queueServers.js';

const DAY_MS = 86_400_000;
const PAUSE_MS = 2_000;

const clockFolder = mkdtempSync(join(tmpdir(), 'gridlens-campaign-'));
process.once('exit', () => rmSync(clockFolder, { recursive: true, force: true }));
const clockFile = join(clockFolder, 'clock');
/** At once: a process must not read half a number. */
const setClock = (aheadMs: number): void => {
  writeFileSync(`${clockFile}.new`, String(aheadMs));
  renameSync(`${clockFile}.new`, clockFile);
};

export const steppedClock: Disturbance = {
  about: "one worker's clock a day ahead, then a day behind, then right",
  backends: BACKENDS,
  rounds: { long: 6, short: 1 },
  async round(scene, number) {
    if (number === 1) {
      setClock(0);
      scene.changeEnv((kind, place) =>
        kind === 'worker' && place === 0
          ? { TEST_CLOCK_FILE: clockFile, CLOCK_TOLERANCE_SECONDS: '5' }
          : ({} as Record<string, string>),
      );
      await scene.fleet.replace('worker', 0);
    }
    for (const aheadMs of [DAY_MS, -DAY_MS, 0]) {
      setClock(aheadMs);
      await sleep(PAUSE_MS * (0.5 + scene.random()));
    }
  },
};

const disks = new WeakMap<object, SmallDisk>();
const DISK_MB = 96;
/** So that a few publishes find room before it is full. */
const LEFT_KB = 2_048;

/** A table space on a file system of its own, which a file fills up. */
export const diskFull: Disturbance = {
  about: 'the disk of Postgres full for some seconds',
  backends: BACKENDS,
  rounds: { long: 3, short: 1 },
  lacking: noSmallDisk,
  async beforeStart({ postgres }) {
    const disk = await mountSmallDisk(DISK_MB);
    disks.set(postgres, disk);
    const place = join(disk.folder, 'space');
    await run('mkdir', ['-m', '0777', place]);
    await run('chown', [`--reference=${postgres.dataFolder}`, place]);
    await postgres.run(`CREATE TABLESPACE small LOCATION '${place}'`);
    await postgres.run(
      `ALTER DATABASE ${new URL(postgres.url).pathname.slice(1)} SET default_tablespace = small`,
    );
    return {};
  },
  async round({ postgres }, _number, isShort) {
    const disk = disks.get(postgres) as SmallDisk;
    await sleep(PAUSE_MS);
    await disk.fill(LEFT_KB);
    await sleep(isShort ? 6_000 : 20_000);
    disk.empty();
  },
  afterwards: async (postgres) => disks.get(postgres)?.remove(),
};

const logDisks = new WeakMap<object, SmallDisk>();
const LOG_DISK_MB = 4;

/** There is no archive of reads yet, whose disk could be full. */
export const logDiskFull: Disturbance = {
  about: "the disk of every process's log full for some seconds",
  backends: BACKENDS,
  rounds: { long: 5, short: 1 },
  lacking: noSmallDisk,
  async beforeStart({ postgres }) {
    logDisks.set(postgres, await mountSmallDisk(LOG_DISK_MB));
    return { LOG_LEVEL: 'debug' };
  },
  ownEnv: ({ postgres }) => {
    const { folder } = logDisks.get(postgres) as SmallDisk;
    return (kind, number) => ({ TEST_LOG_FILE: join(folder, `${kind}-${number}.log`) });
  },
  async round({ postgres, fleet }, _number, isShort) {
    const disk = logDisks.get(postgres) as SmallDisk;
    await sleep(PAUSE_MS);
    await disk.fill(0);
    const pids = pidsOf(fleet);
    await sleep(isShort ? 4_000 : 20_000);
    disk.empty();
    if (pidsOf(fleet) !== pids)
      throw new Error(`a process ended on the full disk of its log: before ${pids}, after ${pidsOf(fleet)}`);
  },
  afterwards: async (postgres) => logDisks.get(postgres)?.remove(),
};

const pidsOf = (fleet: Fleet): string =>
  [...fleet.running('api'), ...fleet.running('worker')].map(({ child }) => child.pid).join();
