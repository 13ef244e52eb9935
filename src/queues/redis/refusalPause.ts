import { isRefusal } from './redisErrors.js';

/** The first pause after an error reply, ms. */
const SHORTEST_MS = 1_000;
/** Recovery is noticed within this, ms; a worker whose Redis refuses everything asks twelve times per minute. */
const LONGEST_MS = 5_000;

/** What of an ioredis client is needed here. */
export interface CommandSender {
  status: string;
  sendCommand(command: SentCommand, ...rest: unknown[]): unknown;
}
interface SentCommand {
  reject(error: Error): void;
  promise: Promise<unknown>;
}

/**
 * Makes error replies late: BullMQ's worker asks again the moment it is refused (measured on 6.7: thousands of times
 * per second), and takes no pause of ours. A reply that says no therefore reaches the worker after a pause, 1 s at
 * first and up to 5 s the longer Redis goes on refusing. Answers are not touched.
 */
export class RefusalPause {
  #refusedSince: number | undefined;
  #over = false;
  readonly #pending = new Set<() => void>();

  /** Holds for commands that the client sends from now on, once its handshake is over. */
  watch(client: CommandSender): void {
    const send = client.sendCommand.bind(client);
    client.sendCommand = (command, ...rest) => {
      if (client.status === 'ready') this.#delayRefusal(command);
      return send(command, ...rest);
    };
  }

  /** Lets all go that waits, and nothing wait any more: the worker is closing. */
  end(): void {
    this.#over = true;
    for (const letGo of this.#pending) letGo();
  }

  #delayRefusal(command: SentCommand): void {
    const reject = command.reject.bind(command);
    command.reject = (error) => {
      if (this.#over || !isRefusal(error)) return reject(error);
      const letGo = (): void => {
        clearTimeout(timer);
        this.#pending.delete(letGo);
        reject(error);
      };
      const timer = setTimeout(letGo, this.#pauseMs());
      this.#pending.add(letGo);
    };
    // The caller has the promise and its failure; here only success is of interest.
    command.promise.then(
      () => {
        this.#refusedSince = undefined;
      },
      () => undefined,
    );
  }

  #pauseMs(): number {
    const now = performance.now();
    this.#refusedSince ??= now;
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (now - this.#refusedSince) / 2));
  }
}
