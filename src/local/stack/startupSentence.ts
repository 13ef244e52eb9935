import { StartupError } from '../../contracts/errors.js';

/** What a person reads on stderr when the local stack cannot start: what is wrong and what to do, no stack. */
export function startupSentence(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  if (!(error instanceof Error)) return `GridLens could not start: ${String(error)}.`;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined && syscall !== undefined) {
    return `GridLens could not start: ${syscall} of ${path} failed (${code}); ${adviceFor(code)}.`;
  }
  return `GridLens could not start: ${error.message}`;
}

function adviceFor(code: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'free some disk space and start again';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return 'start as the user it belongs to, or set GRIDLENS_DATA_DIR to a folder this user may write';
  }
  return 'set GRIDLENS_DATA_DIR to a folder on a local disk';
}
