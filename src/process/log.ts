import { type Logger, pino } from 'pino';
import { createLogDestination, type LogDestination } from './logDestination.js';

const STDOUT = 1;
/** The one destination of the process: with two, a line could end up in the middle of another. */
let stdout: LogDestination | undefined;

/** JSON lines on stdout, one logger per process; keys and URLs with passwords never reach a line. */
export function createLogger(part: string, level: string): Logger {
  stdout ??= createLogDestination(STDOUT);
  return pino(
    {
      level,
      base: { part, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['req.headers.authorization', '*.connectionString', '*.password'],
    },
    stdout,
  );
}
