import { type ChildProcess, fork } from 'node:child_process';
import { type FileBatch, UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { ownFile } from '../ownFiles/ownFile.js';

/** What the reader's process answers each time it is asked for more. */
export type ParquetAnswer =
  | { batch: FileBatch }
  | { refusal: string }
  | { failure: string }
  | { isRead: true };

/** What reads a file apart, and how long it may take for one group of rows, in ms. */
export interface ParquetReader {
  program: string;
  answersWithinMs: number;
}

/** A group of 20,000 rows takes 0.2 s, and one of 200,000, the largest that is read, some 2 s. */
const ANSWERS_WITHIN_MS = 30_000;
/** Of its heap, in MB: a group of 200,000 rows takes half of it. */
const MOST_HEAP_MB = 512;

export const PARQUET_READER: ParquetReader = {
  program: ownFile('dist', 'imports/parquetProgram.js'),
  answersWithinMs: ANSWERS_WITHIN_MS,
};

/** What is asked of the process: the first group of a file, then each next one. */
export type ParquetQuestion = { path: string; feederColumn: string | undefined } | 'next';

/**
 * Reads Parquet in a process of its own. The library may never end on a damaged file, or take all memory that there is. A
 * thread would not do: one that runs out of memory takes its process with it.
 *
 * @param feederColumn whether each row's feeder is wanted: `feeder_id`.
 * @yields what each group of rows says; the next one is read when it is asked for.
 * @throws UnreadableFileError where the file is none of ours or broken, or its reader ends or does not answer.
 */
export async function* readParquetApart(
  path: string,
  feederColumn?: string,
  reader: ParquetReader = PARQUET_READER,
): AsyncGenerator<FileBatch> {
  const apart = new ParquetProcess(reader);
  try {
    yield* apart.read(path, feederColumn);
  } finally {
    apart.end();
  }
}

/** A process that reads one file after the other, until it ends. */
export class ParquetProcess {
  readonly #process: ChildProcess;
  readonly #answersWithinMs: number;

  constructor({ program, answersWithinMs }: ParquetReader = PARQUET_READER) {
    this.#answersWithinMs = answersWithinMs;
    this.#process = fork(program, [], {
      // It needs nothing of what this process knows.
      env: {},
      execArgv: [`--max-old-space-size=${MOST_HEAP_MB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get hasEnded(): boolean {
    return this.#process.killed || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** As `readParquetApart`. A process that does not answer has ended. */
  async *read(path: string, feederColumn?: string): AsyncGenerator<FileBatch> {
    let answer = await this.#ask({ path, feederColumn });
    while (!('isRead' in answer)) {
      if ('failure' in answer) throw new Error(answer.failure);
      if ('refusal' in answer) throw new UnreadableFileError(undefined, answer.refusal);
      yield answer.batch;
      answer = await this.#ask('next');
    }
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }

  #ask(question: ParquetQuestion): Promise<ParquetAnswer> {
    const reader = this.#process;
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        reader.off('message', onMessage).off('error', onError).off('exit', onExit);
        then();
      };
      const refuse = (reason: string): void =>
        settle(() => {
          this.end();
          reject(new UnreadableFileError(undefined, reason));
        });
      const onMessage = (answer: unknown): void => settle(() => resolve(answer as ParquetAnswer));
      const onError = (error: Error): void => settle(() => reject(error));
      const onExit = (): void =>
        refuse('its Parquet is broken: the reader broke off, or needed more memory than for any of ours');
      const onTimeout = (): void =>
        refuse(
          `its Parquet is broken, or the machine is too busy to read it: nothing more came of it for ${this.#answersWithinMs / 1_000} s`,
        );
      const timer = setTimeout(onTimeout, this.#answersWithinMs);
      reader.on('message', onMessage).on('error', onError).on('exit', onExit);
      // The exit of one that has ended already is told no more.
      if (this.hasEnded) return onExit();
      reader.send(question, (error) => {
        if (error) onExit();
      });
    });
  }
}
