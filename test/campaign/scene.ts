import type pg from 'pg';
import seedrandom from 'seedrandom';
import { openPool } from '../support/openPool.js';
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.js';
import { type Fleet, type Kind, startFleet } from './fleet.js';
import { type Backend, type QueueServers, startQueueServers } from './queueServers.js';

/** Real servers and real processes, for one disturbance on one kind of queue. */
export interface Scene {
  backend: Backend;
  postgres: OwnPostgres;
  queue: QueueServers;
  fleet: Fleet;
  /** To look from outside, as psql would; of the server that takes writes now. */
  pool(): pg.Pool;
  /** Says that another server takes the writes from now on. */
  moveTo(url: string): void;
  /** Variables of processes that start from now on, beside those of all. */
  changeEnv(change: (kind: Kind, number: number) => Record<string, string>): void;
  /** 0 to 1, the same series for one seed. */
  random(): number;
  close(): Promise<void>;
}

export interface SceneOptions {
  backend: Backend;
  seed: string;
  apis: number;
  workers: number;
  /** What the URL of the processes is made of the server's; the server itself when left out. */
  beforeStart?: (scene: Pick<Scene, 'postgres' | 'queue'>) => Promise<Record<string, string>>;
  ownEnv?: (scene: Pick<Scene, 'postgres'>) => (kind: Kind, number: number) => Record<string, string>;
  /** Takes away what was made beside the servers, once those are gone. */
  afterwards?: (postgres: OwnPostgres) => Promise<void>;
}

const open = new Set<() => Promise<void>>();

/** For a run that is ended by a signal: leaves no server behind. */
export async function closeScenes(): Promise<void> {
  await Promise.all([...open].map((close) => close()));
}

/** Has `closeScenes` close something too, once. */
export function closeOnSignal(work: () => Promise<void>) {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    open.delete(close);
    closing ??= work();
    return closing;
  };
  open.add(close);
  return { close, isClosing: () => closing !== undefined };
}

/** Undefined where this machine lacks what the backend needs. */
export async function openScene(options: SceneOptions): Promise<Scene | undefined> {
  const { backend, seed } = options;
  const postgres = await startOwnPostgres();
  const pools: pg.Pool[] = [];
  const connect = (url: string): pg.Pool => {
    const pool = openPool({ connectionString: url, max: 2 });
    pools.push(pool);
    return pool;
  };
  let pool = connect(postgres.url);
  const queue = await startQueueServers(backend, () => pool, postgres.url);
  if (queue === undefined) {
    await pool.end();
    await postgres.remove();
    return undefined;
  }
  const common = {
    DATABASE_URL: postgres.url,
    ...(queue.url === undefined ? {} : { REDIS_URL: queue.url }),
    ...(await options.beforeStart?.({ postgres, queue })),
  };
  let own = options.ownEnv?.({ postgres }) ?? ((): Record<string, string> => ({}));
  const fleet = await startFleet({ api: options.apis, worker: options.workers }, (kind, number) => ({
    ...common,
    ...own(kind, number),
  }));
  const random = seedrandom(seed);
  const { close } = closeOnSignal(async () => {
    await fleet.close();
    await Promise.all(pools.map((one) => one.end()));
    await queue.stop();
    await postgres.remove();
    await options.afterwards?.(postgres);
  });
  const scene: Scene = {
    backend,
    postgres,
    queue,
    fleet,
    pool: () => pool,
    moveTo(url) {
      pool = connect(url);
    },
    changeEnv(change) {
      own = change;
    },
    random: () => random(),
    close,
  };
  return scene;
}
