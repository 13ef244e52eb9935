import { Worker } from 'node:worker_threads';
import { StartupError } from '../contracts/errors.js';
import { ownFile } from '../ownFiles/ownFile.js';
import type { Scenario } from '../scenarios/scenario.js';
import type { ScenarioFile } from '../scenarios/shape.js';
import { createUnitWriter, type DatasetFormat, type MadeUnit } from './unitFiles.js';
import type { Unit } from './units.js';

/** What a thread is started with. */
export interface WorkerTasks {
  file: ScenarioFile;
  folder: string;
  format: DatasetFormat;
}
export interface WorkerTask {
  unit: Unit;
  isFirst: boolean;
}
export type WorkerAnswer = { made: MadeUnit } | { failure: { name: string; message: string } };

/**
 * Makes the units on so many threads, and tells of each when it is made: in any order, since what is in it does not depend on that.
 * One thread is this one.
 *
 * @throws the first failure; threads then begin nothing new.
 */
export async function makeUnits(
  scenario: Scenario,
  tasks: readonly WorkerTask[],
  { folder, format, threads }: { folder: string; format: DatasetFormat; threads: number },
  onMade: (made: MadeUnit) => Promise<void>,
): Promise<void> {
  const waiting = [...tasks];
  const crew = Math.min(threads, tasks.length);
  if (crew <= 1) {
    const write = await createUnitWriter(scenario, folder, format);
    for (const { unit, isFirst } of waiting) await onMade(await write(unit, isFirst));
    return;
  }
  const workers = Array.from({ length: crew }, () => startWorker({ file: scenario.file, folder, format }));
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let task = waiting.shift(); task; task = waiting.shift())
          await onMade(
            await worker.make(task).catch((error: unknown) => {
              waiting.length = 0;
              throw error;
            }),
          );
      }),
    );
  } finally {
    await Promise.all(workers.map(({ end }) => end()));
  }
}

const PROGRAM = ownFile('dist', 'datasets/datasetWorker.js');

function startWorker(workerData: WorkerTasks) {
  const worker = new Worker(PROGRAM, { workerData });
  return {
    make: (task: WorkerTask): Promise<MadeUnit> =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        };
        const onMessage = (answer: WorkerAnswer): void => {
          settle();
          if ('made' in answer) resolve(answer.made);
          else reject(failureOf(answer.failure));
        };
        const onError = (error: Error): void => {
          settle();
          reject(error);
        };
        const onExit = (code: number): void => onError(new Error(`a thread ended with ${code}`));
        worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        worker.postMessage(task);
      }),
    end: async (): Promise<void> => {
      await worker.terminate();
    },
  };
}

/** A thread's errors come as text: what was said to a person is said to one again. */
function failureOf({ name, message }: { name: string; message: string }): Error {
  return name === 'StartupError' ? new StartupError(message) : new Error(message);
}
