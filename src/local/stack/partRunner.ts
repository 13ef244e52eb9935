import { type ChildProcess, fork } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import { asReadyMessage, type StoppingMessage } from '../../process/supervised.js';

/** What a part said with its readiness: where Postgres is, for example. */
export type ReadyDetails = Readonly<Record<string, string>>;

/** By the part's name. */
export type Reported = Readonly<Record<string, ReadyDetails>>;

/** A process of the stack. */
export interface Part {
  name: string;
  /** Absolute path of a module as node runs it: compiled. */
  modulePath: string;
  args?: string[];
  /** Added to our own environment at each start, from what the parts of earlier stages have reported. */
  env?: (reported: Reported) => NodeJS.ProcessEnv;
  /** Runs once the process is gone: clears away what a killed one left. Must be done by then (epoch ms). */
  afterStop?: (by: number) => Promise<void>;
}

export interface PartEvents {
  forked(part: Part, pid: number): void;
  ready(part: Part, details: ReadyDetails): void;
  /** Said again with other details, as after Postgres came back on another port. */
  changed(part: Part): void;
  /** One line for the person at the terminal. */
  note(line: string): void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;
/** A part that ran for this long is healthy: its next death has another cause than its last. */
const HEALTHY_AFTER_MS = 30_000;

/** How long to wait before the next restart: 0.5 s, doubled up to 10 s, and 0.5 s again after 30 s of health. */
export function restartDelayMs(previousMs: number | undefined, healthyForMs: number): number {
  if (previousMs === undefined || healthyForMs >= HEALTHY_AFTER_MS) return FIRST_DELAY_MS;
  return Math.min(previousMs * 2, LONGEST_DELAY_MS);
}

/** Keeps one part running: starts it, starts it again when it dies, stops it. */
export class PartRunner {
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #details: ReadyDetails | undefined;
  #readyAt: number | undefined;
  #delayMs: number | undefined;
  #restart: NodeJS.Timeout | undefined;
  #replacing = false;
  #stopping = false;

  constructor(
    readonly part: Part,
    private readonly reported: () => Reported,
    private readonly events: PartEvents,
  ) {}

  /** Resolves with `true` when the part is ready for the first time, `false` when it ended before that. */
  start(): Promise<boolean> {
    return new Promise((resolve) => this.#fork(resolve));
  }

  /** Ends the process so that it comes back with the environment of now. */
  replace(withinMs: number): void {
    if (this.#stopping || !this.#child) return;
    this.#replacing = true;
    void this.#end(this.#child, withinMs);
  }

  /** From here on nothing is started any more. */
  announceStop(by: number): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const message: StoppingMessage = { type: 'stopping', by };
    // The callback takes the error of a channel that has just closed: the exit event tells the rest.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** Resolves when the process is gone, with what it left; SIGKILL when it took longer than that. */
  async stop(withinMs: number): Promise<void> {
    const by = Date.now() + withinMs;
    if (this.#child) await this.#end(this.#child, withinMs);
    await this.part.afterStop?.(by).catch((error: Error) => this.events.note(error.message));
  }

  #fork(started: (ready: boolean) => void): void {
    const { part } = this;
    if (this.#stopping) {
      started(false);
      return;
    }
    const child = fork(part.modulePath, part.args ?? [], {
      // Not this process's own: it has compared `dist/` with `src/` already, and a part need not do so again. The limit, in MB,
      // is that of the npm scripts: V8 collects garbage sooner (docs/decisions/0009-strangers.md).
      execArgv: ['--max-old-space-size=768', '--enable-source-maps'],
      env: { ...process.env, ...part.env?.(this.reported()) },
      // A session of its own: Ctrl-C and a closed terminal reach the supervisor alone, which stops the parts in
      // order; and a `kill -9` of the whole group leaves Postgres's part alive to stop Postgres.
      detached: true,
    });
    this.#child = child;
    this.#readyAt = undefined;
    if (child.pid !== undefined) this.events.forked(part, child.pid);
    child.on('message', (message) => {
      const ready = asReadyMessage(message);
      if (!ready || this.#stopping) return;
      this.#onReady(ready.details);
      started(true);
    });
    this.#exited = new Promise((resolve) => {
      const gone = (how: string) => {
        if (this.#child !== child) return;
        this.#child = undefined;
        resolve();
        this.#onExit(how, started);
      };
      child.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`));
      child.on('error', (error) => child.pid === undefined && gone(error.message));
    });
  }

  #onReady(details: ReadyDetails): void {
    const before = this.#details;
    this.#details = details;
    this.#readyAt ??= Date.now();
    this.#replacing = false;
    this.events.ready(this.part, details);
    if (before !== undefined && !isDeepStrictEqual(before, details)) this.events.changed(this.part);
  }

  #onExit(how: string, started: (ready: boolean) => void): void {
    const everReady = this.#details !== undefined;
    if (this.#stopping || !(everReady || this.#replacing)) {
      started(false);
      return;
    }
    const healthyForMs = this.#readyAt === undefined ? 0 : Date.now() - this.#readyAt;
    this.#delayMs = restartDelayMs(this.#delayMs, healthyForMs);
    this.#restart = setTimeout(() => {
      this.events.note(`${this.part.name} ended (${how}): started again.`);
      this.#fork(started);
    }, this.#delayMs);
  }

  async #end(child: ChildProcess, withinMs: number): Promise<void> {
    const exited = this.#exited;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), withinMs);
    await exited;
    clearTimeout(kill);
  }
}
