import { createHash } from 'node:crypto';
import { chmod, chown, lchown, readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StartupError } from '../../contracts/errors.js';
import { makeFolder } from '../keptFile.js';
import { canEnter, findOrMakeUser, nameOfUser, type Owner } from './ownerCommand.js';

/** Where a cluster lives, and who owns it. */
export interface ClusterPlace {
  /** Holds `postgres/` (the data) and `postgres.log`. */
  home: string;
  /** Where the binaries go if they must be copied; made only then. */
  copyRoot: string;
  /** Unset: the current user, who is not root. */
  owner: Owner | undefined;
}

/** Where root's Postgres goes when its user cannot reach the data folder. */
const FALLBACK_ROOT = '/var/lib/gridlens';

/** Every folder that may be the home of this data folder's cluster, the preferred one first. */
export async function clusterHomes(
  dataDir: string,
  fallbackRoot = FALLBACK_ROOT,
): Promise<[string, string?]> {
  const real = await realpath(dataDir).catch(() => resolve(dataDir)); // It may not be there yet, or any more.
  if (process.getuid?.() !== 0) return [real];
  return [real, join(fallbackRoot, createHash('sha256').update(real).digest('hex').slice(0, 12))];
}

/**
 * The data folder's own place, unless we are root and the user that Postgres must run as cannot enter it (a
 * checkout under /root): then `<fallbackRoot>/<hash of the data folder>`. A database that is there already wins
 * over any rule, so that it is never lost from sight because a folder's mode has changed.
 *
 * @param onProgress told in one line when the user had to be made.
 */
export async function chooseClusterPlace(
  folder: string,
  fallbackRoot?: string,
  onProgress?: (line: string) => void,
): Promise<ClusterPlace> {
  const [dataDir, fallback] = await clusterHomes(folder, fallbackRoot);
  if (fallback === undefined) return { home: dataDir, copyRoot: dataDir, owner: undefined };

  const existing = (await ownerIdOf(dataDir)) !== undefined ? dataDir : fallback;
  const owner = await ownerOf(existing, onProgress);
  if (await canEnter(owner, dataDir)) {
    const home = (await ownerIdOf(existing)) === undefined ? dataDir : existing;
    return { home, copyRoot: fallback, owner };
  }
  if (existing === dataDir) {
    throw new StartupError(
      `The user ${owner.name}, which Postgres runs as, cannot reach the database in ${join(dataDir, 'postgres')}: move it with \`mkdir -p ${fallback} && mv ${join(dataDir, 'postgres')} ${fallback}/\`, or set GRIDLENS_DATA_DIR to a folder every user may enter.`,
    );
  }
  try {
    await makeFolder(fallback);
  } catch (error) {
    throw unreachable(
      owner,
      dataDir,
      `${fallback} cannot be made (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  if (!(await canEnter(owner, fallback))) throw unreachable(owner, dataDir, `${fallback} neither`);
  return { home: fallback, copyRoot: fallback, owner };
}

function unreachable(owner: Owner, dataDir: string, other: string): StartupError {
  return new StartupError(
    `The user ${owner.name}, which Postgres runs as, cannot reach ${dataDir}, and ${other}: start as a normal user, or set GRIDLENS_DATA_DIR to a folder every user may enter.`,
  );
}

/** The user that owns a cluster made earlier, perhaps before somebody took to sudo; else `postgres`. */
async function ownerOf(home: string, onProgress?: (line: string) => void): Promise<Owner> {
  const id = await ownerIdOf(home);
  if (id !== undefined && id.uid !== 0) return { ...id, name: await nameOfUser(id.uid) };
  const owner = await findOrMakeUser('postgres', onProgress);
  if (id !== undefined) await giveTo(owner, join(home, 'postgres'));
  return owner;
}

async function ownerIdOf(home: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    await stat(join(home, 'postgres', 'PG_VERSION'));
    const { uid, gid } = await stat(join(home, 'postgres'));
    return { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** After a `cp -r` by root the data is root's, and Postgres refuses data that is not its own. */
async function giveTo(owner: Owner, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), owner.uid, owner.gid);
  }
  await chmod(folder, 0o700);
  await chown(folder, owner.uid, owner.gid); // Last: a killed start leaves it root's, and the next begins anew.
}
