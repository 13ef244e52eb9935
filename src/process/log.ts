import { type Logger, pino } from 'pino';
import { createLogDestination } from './logDestination.js';

const STDOUT = 1;

/** JSON lines on stdout, one logger per process; keys and URLs with passwords never reach a line. */
export function createLogger(part: string, level: string): Logger {
  return pino(
    {
      level,
      base: { part, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['req.headers.authorization', '*.connectionString', '*.password'],
    },
    createLogDestination(STDOUT),
  );
}
