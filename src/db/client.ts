import pg from 'pg';
import { answerBudget } from '../contracts/answerBudget.js';

/** What all connections of one pool have in common; they may change it under way. */
export interface ClientTraits {
  /** Whether statements keep their names. */
  keepsStatements: boolean;
  /** After how long a statement is cancelled, in ms, where no setting of the connection can say so. */
  cancelAfterMs?: number | undefined;
  /** The URL of the next connection. */
  connectionString: () => string;
  /** Told when a connection could not be made, or was lost. */
  onFailure: (connectionString: string) => void;
}

/** A connection that can have the next one go to another host. */
export interface HostedClient extends pg.ClientBase {
  leaveHost(): void;
}

/**
 * A pooler has mixed up the names of prepared statements: it does not know one (26000), or has it twice (42P05). Either
 * is said before anything was run.
 */
const NAMES_MIXED_UP = new Set(['26000', '42P05']);

type Callback = (error: Error | undefined, result: unknown) => void;

/**
 * The class of a pool's connections; the pool connects them with a callback.
 *
 * Statements lose their names behind a pooler that does not keep them, also when that shows only under way (a pooler
 * put in, its mode changed): Postgres then plans each anew, which is some tenths of a millisecond.
 */
export function clientClass(traits: ClientTraits): typeof pg.Client {
  return class extends pg.Client {
    readonly #url: string;

    constructor(config: pg.ClientConfig) {
      const connectionString = traits.connectionString();
      // The pool's own limit is for the wait for a connection of it, which may be longer.
      super({ ...config, connectionString, connectionTimeoutMillis: answerBudget().connection });
      this.#url = connectionString;
      this.connection.on('errorMessage', ({ code }: { code?: string }) => {
        if (NAMES_MIXED_UP.has(code ?? '')) traits.keepsStatements = false;
      });
    }

    leaveHost(): void {
      traits.onFailure(this.#url);
    }

    override connect(...args: unknown[]): never {
      this.once('error', () => this.leaveHost());
      const [callback] = args as [Callback];
      const noting: Callback = (error, client) => {
        if (error) this.leaveHost();
        callback(error, client);
      };
      return super.connect(noting as never) as never;
    }

    override query(...args: unknown[]): never {
      const given = traits.keepsStatements ? args : withoutName(args);
      const { cancelAfterMs } = traits;
      const send = (final: unknown[]): unknown => (super.query as (...all: unknown[]) => unknown)(...final);
      if (cancelAfterMs === undefined) return send(given) as never;
      const timer = setTimeout(() => cancel(this), cancelAfterMs);
      const last = given.at(-1);
      if (typeof last === 'function') {
        const done: Callback = (error, result) => {
          clearTimeout(timer);
          last(error, result);
        };
        return send([...given.slice(0, -1), done]) as never;
      }
      const answer = send(given);
      if (answer instanceof Promise) return answer.finally(() => clearTimeout(timer)) as never;
      clearTimeout(timer);
      return answer as never;
    }
  } as unknown as typeof pg.Client;
}

/** The arguments of a `query` without the statement's name; what is no plain statement (a COPY stream) as it is. */
function withoutName(args: unknown[]): unknown[] {
  const [statement, ...rest] = args;
  if (typeof statement !== 'object' || statement === null || !('name' in statement) || 'submit' in statement)
    return args;
  const { name: _, ...unnamed } = statement;
  return [unnamed, ...rest];
}

/**
 * Asks the server to end the statement under way, on a connection of its own as the protocol has it. A pooler passes it
 * on to whichever server works for this client.
 */
function cancel(client: pg.Client): void {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const { ssl, host, port } = client;
  const connection = new pg.Connection({ ssl }) as pg.Connection & {
    connect(port: number | string, host?: string): void;
    cancel(processId: number, secretKey: number): void;
  };
  // Best effort: where it fails, the statement ends by itself, for a caller who has gone.
  connection.on('error', () => undefined);
  connection.once(ssl ? 'sslconnect' : 'connect', () => connection.cancel(processID, secretKey));
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
}
