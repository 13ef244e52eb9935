import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Crowd {
  /** Answers so far by status, and by the code of an error for connections that were lost. */
  counts(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

export interface CrowdOptions {
  pollers: number;
  /** `{n}` in it is another text in each request. */
  path: string;
  /** How many addresses the pollers come from. */
  addresses?: number;
}

/** Starts pollers without pause in a process of their own, and waits until that runs. */
export async function startCrowd(
  url: string,
  { pollers, path, addresses = 1 }: CrowdOptions,
): Promise<Crowd> {
  const child = fork(
    fileURLToPath(new URL('./crowd.ts', import.meta.url)),
    [url, String(pollers), path, String(addresses)],
    { execArgv: ['--import', 'tsx'] },
  );
  await once(child, 'message');
  return {
    async counts() {
      child.send('counts');
      const [counts] = await once(child, 'message');
      return counts;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
