import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Disturbance } from '../campaign.js';
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

const run = promisify(execFile);
const disks = new WeakMap<object, string>();
const DISK_MB = 96;
/** So that a few publishes find room before it is full. */
const LEFT_KB = 2_048;

/** A table space on a file system of its own, which a file fills up. */
export const diskFull: Disturbance = {
  about: 'the disk of Postgres full for some seconds',
  backends: BACKENDS,
  rounds: { long: 3, short: 1 },
  lacking: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gridlens-mount-'));
    const isAllowed = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).then(
      () => true,
      () => false,
    );
    if (isAllowed) await run('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
    return isAllowed ? undefined : 'nobody but root may mount a small disk';
  },
  async beforeStart({ postgres }) {
    const disk = mkdtempSync(join(tmpdir(), 'gridlens-disk-'));
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=0777`, 'tmpfs', disk]);
    disks.set(postgres, disk);
    const place = join(disk, 'space');
    await run('mkdir', ['-m', '0777', place]);
    await run('chown', [`--reference=${postgres.dataFolder}`, place]);
    await postgres.run(`CREATE TABLESPACE small LOCATION '${place}'`);
    await postgres.run(
      `ALTER DATABASE ${new URL(postgres.url).pathname.slice(1)} SET default_tablespace = small`,
    );
    return {};
  },
  async round({ postgres }, _number, isShort) {
    const disk = disks.get(postgres) as string;
    const filler = join(disk, 'filler');
    await sleep(PAUSE_MS);
    const { stdout } = await run('df', ['--output=avail', '-k', disk]);
    const free = Number(stdout.trim().split('\n').at(-1));
    await run('fallocate', ['-l', String(Math.max(1, free - LEFT_KB) * 1024), filler]);
    await sleep(isShort ? 6_000 : 20_000);
    rmSync(filler);
  },
  async afterwards(postgres) {
    const disk = disks.get(postgres);
    if (disk === undefined) return;
    await run('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  },
};
