import { expect, it } from 'vitest';
import { thinned } from '../../src/queues/thinnedErrors.js';

const MINUTE_MS = 60_000;

it('Q5: an error that comes a thousand times per second is passed on once per minute, with its number', () => {
  let at = 0;
  const told: string[] = [];
  const listener = thinned(
    ({ message }) => told.push(message),
    () => at,
  );
  for (; at <= MINUTE_MS; at += 1) listener(new Error(`OOM at ${at}`));
  expect(told).toEqual([
    'OOM at 0',
    `OOM at ${MINUTE_MS} (and ${MINUTE_MS - 1} times more since this was last said)`,
  ]);
});

it('Q5: an error is passed on without the command and the stack that it carries', () => {
  const told: Error[] = [];
  const listener = thinned((error) => told.push(error));
  listener(Object.assign(new Error('READONLY'), { command: { args: ['a script'] } }));
  listener(Object.assign(new Error(''), { code: 'ECONNREFUSED' }));
  expect(told.map(({ message }) => message)).toEqual(['READONLY', 'ECONNREFUSED']);
  expect(told[0]?.stack).toBe('QueueTrouble: READONLY');
  expect(Object.keys(told[0] as Error)).not.toContain('command');
});
