import { createServer } from 'node:net';
import { join } from 'node:path';
import { readIfThere } from '../keptFile.js';

/** Postgres's own 5432 with more digits: seldom taken, and easy to remember. */
export const USUAL_PORT = 54329;

/** Ports to try, best first and without end: the one of last time, the usual one, then any that is free. */
export async function* portCandidates(dataDir: string, wanted?: number): AsyncGenerator<number> {
  const preferred = wanted === undefined ? [await rememberedPort(dataDir), USUAL_PORT] : [wanted];
  for (const port of new Set(preferred)) {
    if (port !== undefined && port !== 0 && (await freePort(port)) !== undefined) yield port;
  }
  for (;;) {
    const port = await freePort(0);
    if (port !== undefined) yield port;
  }
}

/** From `database-url`, so that a saved psql command goes on working after a restart. */
async function rememberedPort(dataDir: string): Promise<number | undefined> {
  const url = (await readIfThere(join(dataDir, 'database-url')))?.trim();
  return url !== undefined && URL.canParse(url) ? Number(new URL(url).port) || undefined : undefined;
}

function freePort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
