import { setTimeout as sleep } from 'node:timers/promises';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';

export type Kind = 'api' | 'worker';
type Running = ProductProcess & { url?: string };

/** The processes of a deployment, with a supervisor: one that ends is started anew, as compose and systemd do. */
export interface Fleet {
  /** An API that is up now, a different one each time; undefined where none is. */
  url(): string | undefined;
  /** The processes that are up now. */
  running(kind: Kind): Running[];
  /** Kills one with `kill -9`, unless told to end it in another way, and waits until another is up in its place. */
  replace(kind: Kind, number: number, signal?: NodeJS.Signals): Promise<void>;
  /** How many have ended by themselves. */
  endedByThemselves(): number;
  /** Lines of all logs, also of processes that are gone, that match. */
  logged(pattern: RegExp): string[];
  close(): Promise<void>;
}

/** A supervisor's pause before it starts a process again. */
const RESTART_MS = 500;

/**
 * @param envOf the environment of a process, by kind and number; what it answers may change from start to start.
 */
export async function startFleet(
  counts: Record<Kind, number>,
  envOf: (kind: Kind, number: number) => Record<string, string>,
): Promise<Fleet> {
  const places: Record<Kind, (Running | undefined)[]> = { api: [], worker: [] };
  const gone: ProductProcess[] = [];
  let closing = false;
  let ended = 0;
  let asked = 0;

  /** Starts under way: a place has one at a time. */
  const starting = new Map<string, Promise<void>>();
  const start = (kind: Kind, number: number): Promise<void> => {
    const place = `${kind} ${number}`;
    const underWay = starting.get(place) ?? untilUp(kind, number).finally(() => void starting.delete(place));
    starting.set(place, underWay);
    return underWay;
  };
  const untilUp = async (kind: Kind, number: number): Promise<void> => {
    while (!closing) {
      try {
        const env = envOf(kind, number);
        const running = kind === 'api' ? await startApiProcess(env) : await startWorkerProcess(env);
        places[kind][number] = running;
        void running.exited.then(() => over(kind, number, running));
        return;
      } catch {
        // What it needs is away: it said so and ended. A supervisor starts it again.
        await sleep(RESTART_MS);
      }
    }
  };
  const over = (kind: Kind, number: number, running: Running): void => {
    gone.push(running);
    if (places[kind][number] !== running) return;
    places[kind][number] = undefined;
    if (closing) return;
    ended += 1;
    void sleep(RESTART_MS).then(() => start(kind, number));
  };
  const up = (kind: Kind): Running[] => places[kind].filter((running) => running !== undefined);

  await Promise.all(
    (['api', 'worker'] as const).flatMap((kind) =>
      Array.from({ length: counts[kind] }, (_, number) => start(kind, number)),
    ),
  );
  return {
    url() {
      const apis = up('api');
      asked += 1;
      return apis[asked % Math.max(1, apis.length)]?.url;
    },
    running: up,
    async replace(kind, number, signal = 'SIGKILL') {
      const running = places[kind][number];
      places[kind][number] = undefined;
      await running?.kill(signal);
      await start(kind, number);
    },
    endedByThemselves: () => ended,
    logged: (pattern) =>
      [...gone, ...up('api'), ...up('worker')].flatMap((one) =>
        one
          .output()
          .split('\n')
          .filter((line) => pattern.test(line)),
      ),
    async close() {
      closing = true;
      await Promise.all([...up('api'), ...up('worker')].map((running) => running.kill('SIGKILL')));
    },
  };
}
