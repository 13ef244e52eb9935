import { EventEmitter } from 'node:events';
import pLimit from 'p-limit';
import pg from 'pg';
import type { Database } from '../db/db.js';

type Statement = Parameters<pg.ClientBase['query']>;

/**
 * The one connection of a process that its BullMQ instances share. Each worker would take one for itself and do nothing
 * on it but LISTEN, three a process; here all of them listen on one, and what they ask while the pool has no other is
 * asked on it too, one statement after the other.
 */
export interface SharedConnection {
  /** @throws what the connection says, which is then made anew for the next caller. */
  query(...statement: Statement): Promise<unknown>;
  /** A client that looks like a connection of its own, as BullMQ wants one. */
  borrow(): Promise<BorrowedClient>;
  close(): void;
}

/** Of the shared connection: notifications, errors, statements, one after the other. */
export class BorrowedClient extends EventEmitter {
  constructor(
    readonly query: SharedConnection['query'],
    /** Gives it back; the connection goes on for the others. */
    readonly release: () => void,
  ) {
    super();
  }
}

/** The connection comes out of the pool at the first need and stays out of it. */
export function shareConnection(pool: Database): SharedConnection {
  const borrowed = new Set<BorrowedClient>();
  const inTurn = pLimit(1);
  let current: Promise<pg.PoolClient> | undefined;

  const lose = (client: pg.PoolClient, error: Error): void => {
    client.removeAllListeners('notification');
    current = undefined;
    client.release(true);
    // Each of them then asks for another, and listens on that.
    for (const one of [...borrowed]) if (one.listenerCount('error') > 0) one.emit('error', error);
  };

  const connected = (): Promise<pg.PoolClient> => {
    if (current !== undefined) return current;
    const connecting = pool.connect().then((client) => {
      client.once('error', (error) => {
        if (current === connecting) lose(client, error);
      });
      client.on('notification', (message) => {
        for (const one of borrowed) one.emit('notification', message);
      });
      return client;
    });
    current = connecting;
    connecting.catch(() => {
      if (current === connecting) current = undefined;
    });
    return connecting;
  };

  const query = (...statement: Statement): Promise<unknown> =>
    inTurn(async () => {
      const asked = connected();
      const client = await asked;
      try {
        return await client.query(...statement);
      } catch (error) {
        // One that did not answer in time is still at the statement before.
        if (!(error instanceof pg.DatabaseError) && current === asked) lose(client, error as Error);
        throw error;
      }
    });

  return {
    query,
    async borrow() {
      await connected();
      const client = new BorrowedClient(query, () => void borrowed.delete(client));
      borrowed.add(client);
      return client;
    },
    close() {
      const closing = current;
      current = undefined;
      closing?.then((client) => client.release(true)).catch(() => undefined);
    },
  };
}
