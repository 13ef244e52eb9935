import { loadConfig } from './config.js';
import { runProcess } from './lifecycle.js';
import { startWorker } from './workerProcess.js';

/** The worker process: takes batch jobs and writes reads; any number of them may run. */
await runProcess(async () => startWorker(loadConfig(process.env, { command: 'worker' })));
