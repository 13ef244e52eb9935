import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pino from 'pino';

/** `serveCheckout.ts <folder> <DATABASE_URL>`: the API of a checkout, on a port that it prints. */

const [root = '', databaseUrl = ''] = process.argv.slice(2);
// Whatever the checkout's own modules are: only these names must have stayed.
const load = (path: string) => import(pathToFileURL(join(resolve(root), 'src/process', path)).href);
const { composeApi } = await load('apiProcess.ts');
const { loadConfig } = await load('config.ts');
const { API_POOL, createContext } = await load('context.ts');

const env = { DATABASE_URL: databaseUrl, GRIDLENS_API_KEY: 'bench-key-0123456789' };
const config = loadConfig(env, { command: 'api', cwd: '/nonexistent' });
const context = await createContext('api', config, API_POOL, { log: pino({ level: 'silent' }) });
const server = createServer(composeApi(context)).listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
// By itself a profile of the run (`node --cpu-prof`) would not be written.
process.once('SIGTERM', () => process.exit());
