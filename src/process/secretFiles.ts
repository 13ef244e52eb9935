import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Variables that may come from a file: of each, `NAME_FILE` is the path. Docker, Kubernetes and systemd hand secrets over as
 * files, since the environment of a process shows in `docker inspect` and in crash reports.
 */
const FROM_FILE = [
  'DATABASE_URL',
  'DATABASE_READ_URL',
  'QUEUE_DATABASE_URL',
  'DATABASE_PASSWORD',
  'REDIS_URL',
  'GRIDLENS_API_KEY',
  'GRIDLENS_READ_KEY',
] as const;

/** What is wrong with a variable: the end of a sentence that begins with its name. */
export interface Problem {
  name: string;
  reason: string;
}

/**
 * The environment with the content of each `NAME_FILE` under `NAME`, and what is wrong with them. No content of a file is in
 * a reason, and no path that may be a secret.
 *
 * @param env without blank variables.
 * @param cwd folder that relative paths are taken from.
 */
export function withSecretFiles(
  env: Readonly<Record<string, string>>,
  cwd: string,
): { env: Record<string, string>; problems: Problem[] } {
  const filled = { ...env };
  const problems: Problem[] = [];
  for (const variable of FROM_FILE) {
    const name = `${variable}_FILE`;
    const path = env[name];
    if (path === undefined) continue;
    if (env[variable] !== undefined) {
      problems.push({ name, reason: `is set, and ${variable} as well: keep one of them` });
      continue;
    }
    const read = secretIn(resolve(cwd, path));
    if ('secret' in read) filled[variable] = read.secret;
    else problems.push({ name, reason: `names ${shownPath(path, cwd)}, which ${read.problem}` });
  }
  return { env: filled, problems };
}

/**
 * A path as a refusal names it. What leads to no folder may be the secret itself, set under the name that is for its file;
 * so may a name alone, and a base64 that begins with `/`.
 */
function shownPath(path: string, cwd: string): string {
  const folder = dirname(path);
  const isPath =
    existsSync(resolve(cwd, path)) || (!['.', '/'].includes(folder) && existsSync(resolve(cwd, folder)));
  return isPath ? path : 'a file (not shown, as it may be the secret itself)';
}

/** Editors and `echo` end a file with a line feed, which is no part of the secret. */
function secretIn(path: string): { secret: string } | { problem: string } {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      problem: `cannot be read (${REASONS[code ?? ''] ?? code}): make it a file that this user may read`,
    };
  }
  const secret = content.toString('utf8').trim();
  if (secret === '') return { problem: 'is empty' };
  if (!isUtf8(content) || /[\r\n\0]/.test(secret)) return { problem: 'is not one line of text in UTF-8' };
  return { secret };
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder, as Docker makes one where a file to mount is missing',
  EACCES: 'this user may not',
};
