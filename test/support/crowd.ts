/**
 * A process of its own that asks an API without pause, on as many connections as it is told to; started by
 * `startCrowd`. In the process of the test it would hold up the very answers that are measured there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequest, openRaw } from './rawHttp.js';

const [url = '', count = '1', path = '/healthz', addresses = '1'] = process.argv.slice(2);
const counts: Record<number | string, number> = {};
const add = (what: number | string): void => {
  counts[what] = (counts[what] ?? 0) + 1;
};

/** Each poller has an address of its own, as far as there are any. `{n}` in the path is the number of the request. */
async function poll(number: number): Promise<void> {
  let asked = 0;
  const next = (): string =>
    getRequest(path.replace('{n}', `${number}_${asked++}`), { 'X-Request-Id': `crowd-${number}` });
  for (;;) {
    const address = `127.0.${1 + Math.floor(number / 200)}.${1 + (number % Number(addresses))}`;
    const connection = await openRaw(
      url,
      ({ status }) => {
        add(status);
        connection?.socket.write(next());
      },
      address,
    ).catch(() => undefined);
    if (connection === undefined) {
      add('refused');
      await sleep(20);
      continue;
    }
    connection.socket.write(next());
    const error = await connection.ended;
    if (error !== undefined) add(error.code ?? 'error');
  }
}

for (let number = 0; number < Number(count); number += 1) void poll(number);
process.on('message', () => process.send?.(counts));
process.on('disconnect', () => process.exit(0));
process.send?.({});
