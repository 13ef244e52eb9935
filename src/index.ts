import { startApi } from './apiProcess.js';
import { loadConfig } from './config.js';
import { runProcess } from './lifecycle.js';

/** The API process: configuration, then the app behind a port; any number of them may run. */
await runProcess(async () => startApi(loadConfig(process.env, { command: 'api' })));
