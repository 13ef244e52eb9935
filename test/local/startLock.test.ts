import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startMark } from '../../src/local/stack/processIdentity.js';
import { acquireStartLock } from '../../src/local/stack/startLock.js';
import { eventually, startFixture, temporaryFolder } from './fixtures/processes.js';

describe('start lock', () => {
  it('refuses a second start, names the first, and is free again after it', async (test) => {
    const dataDir = await temporaryFolder(test);
    const lock = await acquireStartLock(dataDir);
    await expect(acquireStartLock(dataDir)).rejects.toThrow(
      `GridLens is already running from this folder (process ${process.pid}): `,
    );
    await lock.release();
    await (await acquireStartLock(dataDir)).release();
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('is not fooled by a stale lock whose number is another process now', async (test) => {
    const dataDir = await temporaryFolder(test);
    await writeFile(join(dataDir, 'start.pid'), `${process.pid} some-earlier-process start\n`);
    await (await acquireStartLock(dataDir)).release();
  });

  it('goes to exactly one of many processes that find the lock of a killed one', async (test) => {
    const dataDir = await temporaryFolder(test);
    const killed = startFixture(test, 'startLockMain', [dataDir]);
    await eventually('its lock', () => killed.output() === 'held\n');
    killed.child.kill('SIGKILL');
    await killed.ended;

    const programs = Array.from({ length: 6 }, () => startFixture(test, 'startLockMain', [dataDir]));
    await eventually('all to decide', () => programs.every((program) => program.output() !== ''));
    const winners = programs.filter((program) => program.output() === 'held\n');
    expect(winners).toHaveLength(1);
    for (const loser of programs.filter((program) => program !== winners[0])) {
      expect(loser.output()).toMatch(
        /^GridLens is already running from this folder \(process \d+\): .*\.\n$/,
      );
    }
    winners[0]?.child.kill('SIGTERM');
    expect(await winners[0]?.ended).toBe(0);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('goes to exactly one of many in one process, however often they race', async (test) => {
    const dataDir = await temporaryFolder(test);
    for (let round = 0; round < 20; round += 1) {
      await writeFile(join(dataDir, 'start.pid'), `1 stale-${round} start\n1 stale-${round} api\n`);
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => acquireStartLock(dataDir)));
      const held = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(held).toHaveLength(1);
      await held[0]?.release();
      expect(await readdir(dataDir)).toEqual([]);
    }
  });

  it('waits for the parts of a killed start to go', async (test) => {
    const dataDir = await temporaryFolder(test);
    const part = startFixture(test, 'startLockMain', [join(dataDir, 'elsewhere')]);
    await eventually('the part', () => part.output() === 'held\n');
    const line = `${part.pid} ${await startMark(part.pid)} api\n`;
    await writeFile(join(dataDir, 'start.pid'), `1 killed-long-ago start\n${line}`);
    const order: string[] = [];
    const acquiring = acquireStartLock(dataDir).then((lock) => {
      order.push('acquired');
      return lock.release();
    });
    part.child.kill('SIGTERM');
    await part.ended;
    order.unshift('part gone');
    await acquiring;
    expect(order).toEqual(['part gone', 'acquired']);
  });
});
