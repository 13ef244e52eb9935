import { AsyncLocalStorage } from 'node:async_hooks';
import type pg from 'pg';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError } from '../contracts/errors.js';
import type { Database } from './db.js';

/** For whom statements are made. Nobody named: health, clocks and what else the process does for itself. */
export interface Asker {
  share: 'readers' | 'keyHolders';
  /** Aborted when nobody waits for the answer any more: what still waits for a connection is then not asked at all. */
  gone?: AbortSignal;
}

/** How many connections a share has under way, how many it may have, and how many more are asked for. */
export interface ShareUse {
  share: Asker['share'];
  taken: number;
  most: number;
  waiting: number;
}

const asker = new AsyncLocalStorage<Asker>();

/** Does `work` on behalf of somebody: all its statements, wherever they are made, go by the share of that asker. */
export function askAs<T>(who: Asker, work: () => T): T {
  return asker.run(who, work);
}

/** Nobody waits for the answer of this statement any more, so it was not made. */
export class NobodyWaitsError extends Error {
  override name = 'NobodyWaitsError';
}

/**
 * The pool with its connections shared out by who asks, so that none of the three waits for the others: readers have at
 * most half of them, key holders all but two, both together all but one, and that one is left to health and clocks. Of the
 * four of an API process readers and key holders have two at most, and one in any case. As its size the pool gives the
 * readers' share, of which a customer's views may have half.
 */
export function withShares(database: Database): Database & { shareUse(): ShareUse[] } {
  const { max } = database.options;
  const readersMax = Math.max(1, Math.floor(max / 2));
  const readers = new Places(readersMax);
  const keyHolders = new Places(Math.max(1, max - 2));
  const answers = new Places(Math.max(1, max - 1));

  const enter = async (): Promise<() => void> => {
    const who = asker.getStore();
    if (who === undefined) return () => undefined;
    const leaveOwn = await (who.share === 'readers' ? readers : keyHolders).take(who.gone);
    try {
      const leaveAnswers = await answers.take(who.gone);
      return () => {
        leaveAnswers();
        leaveOwn();
      };
    } catch (error) {
      leaveOwn();
      throw error;
    }
  };

  const query = async (...args: unknown[]): Promise<unknown> => {
    const leave = await enter();
    try {
      return await Reflect.apply(database.query, database, args);
    } finally {
      leave();
    }
  };
  const connect = async (): Promise<pg.PoolClient> => {
    const leave = await enter();
    try {
      const client = await database.connect();
      const { release } = client;
      client.release = (error) => {
        leave();
        release.call(client, error);
      };
      return client;
    } catch (error) {
      leave();
      throw error;
    }
  };
  const shareUse = (): ShareUse[] => [
    { share: 'readers', ...readers.use() },
    { share: 'keyHolders', ...keyHolders.use() },
  ];
  const shared = new Proxy(database, {
    get(target, name) {
      if (name === 'query') return query;
      if (name === 'connect') return connect;
      if (name === 'shareUse') return shareUse;
      if (name === 'options') return { ...target.options, max: readersMax };
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return shared as Database & { shareUse(): ShareUse[] };
}

interface Waiting {
  begin(leave: () => void): void;
}

/** So many at once; the others wait in the order in which they came. */
class Places {
  readonly #waiting = new Set<Waiting>();

  private free: number;

  constructor(private readonly most: number) {
    this.free = most;
  }

  use(): Omit<ShareUse, 'share'> {
    return { taken: this.most - this.free, most: this.most, waiting: this.#waiting.size };
  }

  /**
   * @returns what gives the place back; called twice it does so once.
   * @throws NobodyWaitsError when `gone` is aborted before; ApiError 503 when the wait was longer than any answer may take.
   */
  async take(gone: AbortSignal | undefined): Promise<() => void> {
    if (gone?.aborted) throw new NobodyWaitsError();
    if (this.free > 0) {
      this.free -= 1;
      return this.#leave();
    }
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        gone?.removeEventListener('abort', onGone);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        begin(leave) {
          end();
          resolve(leave);
        },
      };
      const giveUp = (error: Error): void => {
        end();
        reject(error);
      };
      const onGone = (): void => giveUp(new NobodyWaitsError());
      const timer = setTimeout(() => giveUp(noConnectionFree()), answerBudget().handler);
      gone?.addEventListener('abort', onGone);
      this.#waiting.add(waiting);
    });
  }

  #leave(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const [next] = this.#waiting;
      if (next === undefined) this.free += 1;
      else next.begin(this.#leave());
    };
  }
}

function noConnectionFree(): ApiError {
  return new ApiError(503, 'busy', 'All connections to Postgres were in use; try again shortly.', {
    headers: { 'Retry-After': '1' },
  });
}
