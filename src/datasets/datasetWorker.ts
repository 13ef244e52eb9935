import { parentPort, workerData } from 'node:worker_threads';
import { planScenario } from '../scenarios/scenario.js';
import type { WorkerAnswer, WorkerTask, WorkerTasks } from './threads.js';
import { createUnitWriter } from './unitFiles.js';

/** The program of a thread: it makes the units that it is sent, one after the other. */
const { file, folder, format } = workerData as WorkerTasks;
const write = createUnitWriter(planScenario(file), folder, format);
parentPort?.on('message', ({ unit, isFirst }: WorkerTask) => {
  write
    .then((make) => make(unit, isFirst))
    .then((made): WorkerAnswer => ({ made }))
    .catch((error: Error): WorkerAnswer => ({ failure: { name: error.name, message: error.message } }))
    .then((answer) => parentPort?.postMessage(answer));
});
