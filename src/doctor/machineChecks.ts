import { readFile, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { reachableHost } from '../local/banner.js';
import type { Config } from '../process/config.js';
import { fail, ok, type Verdict, warn } from './checks.js';

/** The lowest version, as package.json says it: `>=20.19.0`. */
export async function nodeVersion(version = process.versions.node): Promise<Verdict> {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const needed = String(manifest.engines.node).replace('>=', '');
  const isOld = version.localeCompare(needed, 'en', { numeric: true }) < 0;
  return isOld
    ? fail(`Node ${version} is too old: install Node ${needed} or newer.`)
    : ok(`Node ${version}; ${needed} or newer is needed.`);
}

const GIB = 2 ** 30;
/** A day of 25,000 meters takes 0.5 GiB, at 206 bytes a read (docs/scale.md), and Postgres stops where nothing is left. */
const FAIL_BELOW = GIB;
const WARN_BELOW = 10 * GIB;

/** Space where GridLens's own folder is; a Postgres elsewhere has a disk of its own. */
export async function diskSpace({ dataDir, databaseUrl }: Config): Promise<Verdict> {
  const { bavail, bsize } = await statfsUpwards(dataDir);
  const free = bavail * bsize;
  const shown = `${(free / GIB).toFixed(1)} GiB are free for ${dataDir}`;
  const elsewhere = databaseUrl === undefined ? '' : '; the disk of Postgres is for its own monitoring';
  if (free < FAIL_BELOW)
    return fail(`${shown}: free at least 1 GiB, or set GRIDLENS_DATA_DIR to another disk.`);
  if (free < WARN_BELOW && databaseUrl === undefined)
    return warn(`${shown}: that is little for a month of reads, so make room or set READS_RETENTION_DAYS.`);
  return ok(`${shown}${elsewhere}.`);
}

/** The folder need not be there before the first start. */
async function statfsUpwards(path: string): Promise<{ bavail: number; bsize: number }> {
  try {
    return await statfs(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    return statfsUpwards(parent);
  }
}

const ASK_MS = 5_000;

/** Whether the API's port is free, or the API is who has it. */
export async function apiPort({ host, port }: Config): Promise<Verdict> {
  const code = await listenOnce(host, port);
  if (code === undefined) return ok(`port ${port} is free; no API runs here.`);
  if (code === 'EACCES')
    return fail(`port ${port} may not be listened on by this user: set PORT to one from 1024 on.`);
  if (code !== 'EADDRINUSE')
    return fail(`HOST ${host} cannot be listened on (${code}): set HOST to an address of this machine.`);
  const url = `http://${reachableHost(host)}:${port}`;
  if (await isGridLens(url)) return ok(`GridLens answers at ${url}.`);
  return fail(`port ${port} is taken by another program: stop that one, or set PORT to a free one.`);
}

/** The code of what stands against listening; undefined where nothing does. */
function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function isGridLens(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ASK_MS) });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'dependencies' in body;
  } catch {
    // Whatever it is, it does not speak as the API does.
    return false;
  }
}
