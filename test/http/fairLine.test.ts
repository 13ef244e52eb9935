import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createFairLine } from '../../src/http/fairLine.js';
import { createUsage } from '../../src/http/usage.js';

const refusal = (): Error => new Error('no room');

describe('the line of reads', () => {
  /** A caller of an address that has asked so often before. */
  const callers = () => {
    const usageOf = createUsage();
    return (ip: string, asked = 1) => {
      const socket = {} as never;
      for (let time = 1; time < asked; time += 1) usageOf({ ip, socket });
      return usageOf({ ip, socket });
    };
  };

  it('H2: serves first whoever has asked least, by address, and by connection within one address', async () => {
    const caller = callers();
    const join = createFairLine({ atOnce: 1, waiting: 10, patienceMs: () => 60_000 }, refusal);
    const working = join(caller('192.0.2.1'));
    const order: string[] = [];
    const wait = (name: string, ticket: ReturnType<typeof join>) =>
      ticket.turn.then(() => {
        order.push(name);
        ticket.done();
      });
    const all = [
      wait('busy address, busy connection', join(caller('192.0.2.7', 50))),
      wait('busy address, calm connection', join(caller('192.0.2.7', 1))),
      wait('calm address', join(caller('192.0.2.9', 2))),
    ];
    working.done();
    await Promise.all(all);
    expect(order).toEqual(['calm address', 'busy address, calm connection', 'busy address, busy connection']);
  });

  it('H2: turns away at once whoever has asked most when it is full, and others when their patience ends', async () => {
    const caller = callers();
    const patienceMs = () => 20;
    const join = createFairLine({ atOnce: 1, waiting: 2, patienceMs }, refusal);
    join(caller('192.0.2.1'));
    const busy = join(caller('192.0.2.7', 9));
    const calm = [join(caller('192.0.2.8')), join(caller('192.0.2.9'))];
    const ends = Promise.allSettled(calm.map(({ turn }) => turn));
    await expect(busy.turn).rejects.toThrow('no room');
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('H1: is left by those who give up, and not by work that has begun', async () => {
    const caller = callers();
    const join = createFairLine({ atOnce: 1, waiting: 2, patienceMs: () => 60_000 }, refusal);
    const working = join(caller('192.0.2.1'));
    const waiting = join(caller('192.0.2.2'));
    const next = join(caller('192.0.2.3'));
    working.giveUp();
    waiting.giveUp();
    await expect(waiting.turn).rejects.toThrow();
    const begun = next.turn.then(() => 'begun');
    expect(await Promise.race([begun, sleep(10)])).toBeUndefined();
    working.done();
    expect(await begun).toBe('begun');
  });
});
