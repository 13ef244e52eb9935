import './process/nodeNavigator.js';
import { startApi } from './process/apiProcess.js';
import { loadConfig } from './process/config.js';
import { runProcess } from './process/lifecycle.js';

/** The API process: configuration, then the app behind a port; any number of them may run. */
await runProcess(async () => startApi(loadConfig(process.env, { command: 'api' })));
