import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { StartupError } from '../../contracts/errors.js';

/** The OS user that Postgres runs as when we are root: Postgres refuses to run as root. */
export interface Owner {
  uid: number;
  gid: number;
  name: string;
}

export interface CommandOptions {
  /** Unset: the current user. */
  owner?: Owner | undefined;
  input?: string;
  signal?: AbortSignal | undefined;
}

export interface CommandResult {
  /** 0 is success; `null` when a signal ended it. */
  code: number | null;
  /** stdout and stderr as they came. */
  output: string;
}

/** LC_ALL: messages we read must be English, and macOS's Postgres refuses to start with a locale unset. */
const PLAIN_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };

/**
 * Runs a program to its end. It gets a session of its own, so that Ctrl-C in the terminal reaches only the
 * supervisor, and an environment without anything of ours: Postgres must not know the API key.
 * An abort sends SIGINT, which initdb and pg_ctl both answer by undoing what they had begun.
 */
export function runCommand(
  file: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { owner, input, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: '/',
      env: PLAIN_ENVIRONMENT,
      detached: true,
      ...(owner && { uid: owner.uid, gid: owner.gid }),
    });
    const chunks: Buffer[] = [];
    const interrupt = () => child.kill('SIGINT');
    signal?.addEventListener('abort', interrupt);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A program that ends without reading its input breaks the pipe; its exit code tells the story.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => {
      signal?.removeEventListener('abort', interrupt);
      resolve({ code, output: Buffer.concat(chunks).toString('utf8').trim() });
    });
    if (signal?.aborted) interrupt();
  });
}

/** Whether that user can enter the folder; folders above it may be closed to others, as /root is. */
export async function canEnter(owner: Owner, folder: string): Promise<boolean> {
  const { code } = await runCommand('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { owner });
  return code === 0;
}

/**
 * The system's user of that name, made when there is none: CI and containers run as root, and `npm start` must work
 * there too. The user gets no home, no shell and no password.
 *
 * @param onProgress told in one line when a user was made, and why.
 * @throws StartupError when it can be neither found nor made.
 */
export async function findOrMakeUser(name: string, onProgress?: (line: string) => void): Promise<Owner> {
  const found = await findUser(name);
  if (found) return found;
  try {
    await promisify(execFile)('groupadd', ['--system', '--force', name]);
    const details = ['--system', '--gid', name, '--no-create-home', '--home-dir', '/nonexistent'];
    await promisify(execFile)('useradd', [...details, '--shell', '/usr/sbin/nologin', name]);
  } catch (error) {
    // Two starts may make it at once: the slower one finds it now.
    const made = await findUser(name);
    if (made) return made;
    const reason = (error as Error).message.trim().split('\n').at(-1);
    throw new StartupError(
      `Postgres does not run as root, and a user ${name} for it could not be made (${reason}): start as a normal user, or set DATABASE_URL.`,
    );
  }
  const made = await findUser(name);
  if (made) {
    onProgress?.(
      `Made the system user ${name}, without a home or a shell: Postgres does not run as root. To remove it: userdel ${name}.`,
    );
    return made;
  }
  throw new StartupError(
    `The user ${name} was made but is not found: start as a normal user, or set DATABASE_URL.`,
  );
}

/** For sentences; the number itself where the system knows no name, as in a container. */
export async function nameOfUser(uid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('id', ['-un', String(uid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() || String(uid);
}

async function findUser(name: string): Promise<Owner | undefined> {
  try {
    const ids = ['-u', '-g'].map((flag) => promisify(execFile)('id', [flag, name]));
    const [uid, gid] = (await Promise.all(ids)).map(({ stdout }) => Number.parseInt(stdout, 10));
    return uid === undefined || gid === undefined ? undefined : { uid, gid, name };
  } catch {
    return undefined; // `id` ends with 1 when there is no such user.
  }
}
