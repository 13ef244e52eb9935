import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';

/** An API process of a checkout of this repository, so that an earlier build can be measured beside this one. */
export interface ServedCheckout {
  port: number;
  /** Milliseconds of a GET, and what came of it. */
  poll(path: string, headers?: Record<string, string>): Promise<Poll>;
  stop(): Promise<void>;
}

export interface Poll {
  ms: number;
  status: number;
  tag: string;
  text: string;
}

const PROGRAM = fileURLToPath(new URL('./serveCheckout.ts', import.meta.url));

/** @param root the checkout's folder, with its dependencies installed. */
export async function serveCheckout(root: string, databaseUrl: string): Promise<ServedCheckout> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, root, databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [first] = await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error(`the API of ${root} did not start`);
    }),
  ]);
  const port = Number(String(first));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    port,
    poll: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const startedAt = performance.now();
        get({ host: '127.0.0.1', port, path, headers, agent }, (answer) => {
          let text = '';
          answer.on('data', (chunk) => {
            text += chunk;
          });
          answer.on('error', reject);
          answer.on('end', () => {
            const { statusCode = 0, headers: got } = answer;
            resolve({ ms: performance.now() - startedAt, status: statusCode, tag: String(got.etag), text });
          });
        }).on('error', reject);
      }),
    async stop() {
      agent.destroy();
      child.kill();
      await exited;
    },
  };
}
