import { isUtf8 } from 'node:buffer';
import { lstatSync, readFileSync } from 'node:fs';
import { StartupError } from '../contracts/errors.js';

/**
 * The text of a `.env` file; empty where there is none.
 *
 * @param mayBeClosed whether it does no harm that this user may not read it: a service manager may have read it for us,
 * as systemd does with `EnvironmentFile`.
 * @throws StartupError when it is there and cannot be read as UTF-8. To go on without it would mean another database.
 */
export function envFileText(path: string, mayBeClosed: boolean): string {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !isLink(path)) return '';
    if (code === 'EACCES' && mayBeClosed) return '';
    throw new StartupError(
      `${path} cannot be read (${reasonOf(code)}): make it a file that this user may read, ${OR_WITHOUT}.`,
    );
  }
  const encoding = foreignEncoding(content);
  if (encoding === undefined) return content.toString('utf8');
  throw new StartupError(`${path} is ${encoding}: save it as UTF-8, ${OR_WITHOUT}.`);
}

const OR_WITHOUT = 'or remove it and set its variables in the environment';

function reasonOf(code: string | undefined): string {
  if (code === 'EISDIR') return 'it is a folder, as Docker makes one where a file to mount is missing';
  if (code === 'ENOENT') return 'it is a link to a file that is not there';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not';
  return String(code);
}

/** A link may lead to nothing; the file that it stands for is missed all the same. */
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** What the content is instead of UTF-8 text; undefined where it is that. */
function foreignEncoding(content: Buffer): string | undefined {
  const begin = content.subarray(0, 2).toString('hex');
  if (begin === 'fffe' || begin === 'feff') return 'not UTF-8 but UTF-16, as PowerShell writes with >';
  // Valid UTF-8, yet no text: each ASCII letter has one in UTF-16 without a byte order mark.
  if (content.includes(0)) return 'not text in UTF-8, as it has NUL bytes';
  return isUtf8(content) ? undefined : 'not UTF-8';
}
