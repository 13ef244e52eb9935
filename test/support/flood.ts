import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from './memoryOf.js';
import { getRequest, openRaw } from './rawHttp.js';

export interface Flood {
  sockets: number;
  /** Reads that each of them pipelines at once. */
  each: number;
  path: string;
  /** How long it is watched, ms. */
  ms: number;
}

export interface FloodResult {
  /** Of the API before and at most, MB. */
  memory: { before: number; most: number };
  /** Of `/healthz` meanwhile, ms. */
  slowest: number;
  /** How often `/healthz` gave no answer. */
  silent: number;
  /** Reads that were answered, with whatever status. */
  answered: number;
}

/** Pipelines reads without waiting for answers, and watches memory and event loop of the API meanwhile. */
export async function flood(
  url: string,
  pid: number,
  { sockets, each, path, ms }: Flood,
): Promise<FloodResult> {
  const before = memoryOf(pid);
  const requests = getRequest(path).repeat(each);
  const opened = await Promise.all(Array.from({ length: sockets }, () => openRaw(url)));
  for (const { socket } of opened) socket.write(requests);
  const result: FloodResult = { memory: { before, most: before }, slowest: 0, silent: 0, answered: 0 };
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const from = performance.now();
    await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(60_000) }).then(
      (answer) => answer.text(),
      () => {
        result.silent += 1;
      },
    );
    result.slowest = Math.max(result.slowest, performance.now() - from);
    result.memory.most = Math.max(result.memory.most, memoryOf(pid));
    await sleep(10);
  }
  for (const { counts } of opened)
    result.answered += Object.values(counts).reduce((sum, count) => sum + count, 0);
  for (const { socket } of opened) socket.destroy();
  return result;
}
