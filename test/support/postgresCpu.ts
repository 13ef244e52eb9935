import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type pg from 'pg';

const run = promisify(execFile);

/** Of the kernel's clock, by which /proc counts CPU time. */
const TICKS_PER_SECOND = 100;

/** CPU seconds so far of a Postgres of this machine: of its processes, and of those of them that have ended. */
export async function postgresCpu(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: string }>(
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid`,
  );
  const parent = rows[0]?.pid ?? '';
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', parent, '-p', parent]);
  let ticks = 0;
  for (const pid of stdout.trim().split(/\s+/)) {
    // A backend may end between the two looks; it is then among what its parent has waited for.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number);
    ticks += user + system + (pid === parent ? endedUser + endedSystem : 0);
  }
  return ticks / TICKS_PER_SECOND;
}
