import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createReaders, readersOf } from '../../src/http/readers.js';
import { sharedAnswer } from '../../src/http/sharedAnswer.js';
import type { Test } from '../local/fixtures/processes.js';
import { waitFor } from '../support/waitFor.js';

/** A route whose answer takes a moment to work out and says how often that was done. */
async function serve(test: Test) {
  let runs = 0;
  const app = express();
  app.use(createReaders({ perAddressPerSecond: 0, log: pino({ level: 'silent' }) }));
  app.get(
    '/runs',
    sharedAnswer(async () => {
      runs += 1;
      await sleep(50);
      return { body: { runs } };
    }),
  );
  app.post('/written', (_request, response) => {
    readersOf(response)?.wrote();
    response.end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (): Promise<number> =>
    ((await (await fetch(`${url}/runs`)).json()) as { runs: number }).runs;
  const askTogether = (callers: number): Promise<number[]> =>
    Promise.all(Array.from({ length: callers }, ask));
  return { url, ask, askTogether };
}

describe('a crowd that asks the same question', () => {
  it('gets one answer, and so do those who come within half a second', async (test) => {
    const { ask, askTogether } = await serve(test);
    // More than once, since a busy machine may take half a second from one line to the next.
    const last = await waitFor('an answer that is kept', async () => {
      const found = new Set(await askTogether(40));
      return found.size === 1 && found.has(await ask()) ? Math.max(...found) : undefined;
    });
    await sleep(600);
    expect(await ask()).toBe(last + 1);
  });

  it('gets none that is older than a write through the process', async (test) => {
    const { url, ask, askTogether } = await serve(test);
    const last = Math.max(...(await askTogether(40)));
    await fetch(`${url}/written`, { method: 'POST' });
    expect(await ask()).toBeGreaterThan(last);
  });

  it('is no crowd with five: the next one gets an answer of its own', async (test) => {
    const { ask, askTogether } = await serve(test);
    const last = Math.max(...(await askTogether(5)));
    expect(await ask()).toBeGreaterThan(last);
  });
});
