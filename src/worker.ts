import './process/nodeNavigator.js';
import { loadConfig } from './process/config.js';
import { runProcess } from './process/lifecycle.js';
import { startWorker } from './process/workerProcess.js';

/** The worker process: takes batch jobs and writes reads; any number of them may run. */
await runProcess(async () => startWorker(loadConfig(process.env, { command: 'worker' })));
