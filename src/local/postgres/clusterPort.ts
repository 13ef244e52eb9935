import { join } from 'node:path';
import getPort, { clearLockedPorts } from 'get-port';
import { readIfThere } from '../keptFile.js';

/** Postgres's own 5432 with more digits: seldom taken, and easy to remember. */
export const USUAL_PORT = 54329;

/** Ports to try, best first and without end: the one of last time, the usual one, then any that is free. */
export async function* portCandidates(dataDir: string, wanted?: number): AsyncGenerator<number> {
  // get-port gives no port twice within 15 to 30 s. An earlier start in this process must not cost us its port.
  clearLockedPorts();
  const preferred = wanted === undefined ? [await rememberedPort(dataDir), USUAL_PORT] : [wanted];
  const port = preferred.filter(
    (candidate): candidate is number => candidate !== undefined && candidate !== 0,
  );
  for (;;) yield await getPort({ host: '127.0.0.1', port });
}

/** From `database-url`, so that a saved psql command goes on working after a restart. */
async function rememberedPort(dataDir: string): Promise<number | undefined> {
  const url = (await readIfThere(join(dataDir, 'database-url')))?.trim();
  return url !== undefined && URL.canParse(url) ? Number(new URL(url).port) || undefined : undefined;
}
