import { expect, it } from 'vitest';
import { sampledDepth } from '../../src/writing/sampledDepth.js';

it('Q8: the depth for the log lines of many jobs is counted at most once per second', async () => {
  let at = 0;
  let counted = 0;
  const counts = async () => {
    counted += 1;
    return { waiting: counted, delayed: 0, active: 1, failed: 9 };
  };
  const depth = sampledDepth({ counts }, () => at);
  for (; at < 3_000; at += 10) await depth();
  expect(counted).toBe(3);
  expect(await depth()).toEqual({ waiting: 4, delayed: 0, active: 1 });
});

it('a queue that does not answer leaves the depth of a log line open', async () => {
  const depth = sampledDepth({ counts: () => Promise.reject(new Error('away')) });
  expect(await depth()).toBeNull();
});
