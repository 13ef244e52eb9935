import { write, writeSync } from 'node:fs';

/** Bytes that wait for a slow or full destination; what comes beyond is dropped. */
const MOST_WAITING = 1_000_000;
const AGAIN_MS = 100;
const TRIES_AT_EXIT = 10;

/** Where log lines go. */
export interface LogDestination {
  write(line: string): void;
}

/**
 * Writes lines to a file descriptor, one write at a time, and goes on whatever becomes of them: a log is worth less than
 * what it tells of. While the disk is full up to 1 MB waits for room; later lines are dropped and counted
 * in a line of their own.
 *
 * Pino's own destination, sonic-boom, ends the process by an unheard error then, and on the way out its `flushSync` waits
 * for ever for room, so that no supervisor starts the process anew.
 */
export function createLogDestination(fd: number): LogDestination {
  let waiting: Buffer[] = [];
  let length = 0;
  let dropped = 0;
  let isWriting = false;

  const next = (): void => {
    if (isWriting || waiting.length === 0) return;
    isWriting = true;
    const chunk = Buffer.concat(waiting);
    waiting = [chunk];
    write(fd, chunk, 0, chunk.length, null, (error, written) => {
      isWriting = false;
      if (error === null) {
        take(written);
        next();
      } else if (isOver(error)) forget();
      else setTimeout(next, AGAIN_MS).unref();
    });
  };
  const take = (written: number): void => {
    const rest = (waiting[0] as Buffer).subarray(written);
    waiting = rest.length > 0 ? [rest, ...waiting.slice(1)] : waiting.slice(1);
    length -= written;
  };
  const forget = (): void => {
    waiting = [];
    length = 0;
  };
  process.once('exit', () => {
    // What is under way is in the hands of the operating system: once more would be twice.
    if (isWriting) waiting = waiting.slice(1);
    for (let tries = 0; waiting.length > 0 && tries < TRIES_AT_EXIT; tries += 1) {
      try {
        take(writeSync(fd, waiting[0] as Buffer));
        tries = 0;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        // The reader of a pipe is slow: it gets a second in all.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
      }
    }
  });
  return {
    write(line) {
      if (length + line.length > MOST_WAITING) {
        dropped += 1;
        return;
      }
      if (dropped > 0) push(`${JSON.stringify({ level: 40, dropped, msg: 'log lines were dropped' })}\n`);
      push(line);
      next();
    },
  };

  function push(line: string): void {
    const bytes = Buffer.from(line);
    waiting.push(bytes);
    length += bytes.length;
    dropped = 0;
  }
}

/** Nobody reads any more, or the descriptor is closed. */
const isOver = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EBADF';
