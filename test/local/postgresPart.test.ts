import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPostmaster } from '../../src/local/postgres/postmaster.js';
import { clusterTemplate } from './fixtures/clusterTemplate.js';
import {
  eventually,
  isGone,
  type Program,
  startFixture,
  type Test,
  temporaryFolder,
} from './fixtures/processes.js';

const dataDirWithCluster = clusterTemplate();

interface Stack {
  program: Program;
  dataDir: string;
  postmaster: () => Promise<number>;
  /** Numbers of a part's processes, in the order of its starts. */
  pidsOf: (part: string) => number[];
}

async function start(test: Test, dataDir: string): Promise<Stack> {
  const program = startFixture(test, 'stackMain', [dataDir]);
  const stack = {
    program,
    dataDir,
    postmaster: async () => (await findPostmaster(join(dataDir, 'postgres')))?.pid ?? 0,
    pidsOf: (part: string) =>
      [...program.output().matchAll(new RegExp(`forked ${part} (\\d+)`, 'g'))].map(([, pid]) => Number(pid)),
  };
  // Should a test fail in between: the part sees its supervisor die, and stops Postgres.
  test.onTestFinished(async () => {
    const pid = await stack.postmaster();
    program.child.kill('SIGKILL');
    await eventually('the end of Postgres', () => pid === 0 || isGone(pid));
  });
  return stack;
}

async function startReady(test: Test): Promise<Stack> {
  const stack = await start(test, await dataDirWithCluster(test));
  await eventually('an answer', () => stack.program.output().includes('client answered'));
  return stack;
}

async function expectNothingLeft({ pidsOf }: Stack, postmaster: number): Promise<void> {
  for (const pid of [...pidsOf('postgres'), ...pidsOf('client'), postmaster]) {
    await eventually(`the end of process ${pid}`, () => isGone(pid));
  }
}

const answers = ({ program }: Stack) => program.output().split('client answered').length - 1;

/** Written anew by each start of Postgres's part. */
const addressFile = ({ dataDir }: Stack) => stat(join(dataDir, 'database-url'));

describe('Postgres as a part', { concurrent: true }, () => {
  it('is there until the parts above it have stopped', async (test) => {
    const stack = await startReady(test);
    const postmaster = await stack.postmaster();
    stack.program.child.kill('SIGINT');
    expect(await stack.program.ended).toBe(0);
    expect(stack.program.output()).toContain('client stops, Postgres answered');
    await expectNothingLeft(stack, postmaster);
    // Orderly: the next start need not recover.
    expect(await readFile(join(stack.dataDir, 'postgres.log'), 'utf8')).toMatch(
      /database system is shut down\n$/,
    );
  });

  it('brings Postgres back after kill -9, at the same address', async (test) => {
    const stack = await startReady(test);
    process.kill(await stack.postmaster(), 'SIGKILL');
    await eventually('answers again', () => answers(stack) === 2);
    expect(stack.pidsOf('client')).toHaveLength(1);
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack, await stack.postmaster());
  });

  it('adopts Postgres when the part itself was killed: the parts above notice nothing', async (test) => {
    const stack = await startReady(test);
    const postmaster = await stack.postmaster();
    const before = await addressFile(stack);
    process.kill(stack.pidsOf('postgres')[0] ?? 0, 'SIGKILL');
    await eventually('its successor at work', async () => (await addressFile(stack)).ino !== before.ino);
    expect(await stack.postmaster()).toBe(postmaster);
    expect(stack.program.output()).not.toContain('client refused');
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack, postmaster);
  });

  it.for(['SIGTERM', 'SIGKILL'] as const)(
    'leaves no process behind on %s to the supervisor while the part is being replaced',
    async (signal, test) => {
      const stack = await startReady(test);
      const postmaster = await stack.postmaster();
      process.kill(stack.pidsOf('postgres')[0] ?? 0, 'SIGKILL');
      await eventually('its successor, still loading', () => stack.pidsOf('postgres')[1]);
      stack.program.child.kill(signal);
      await stack.program.ended;
      await expectNothingLeft(stack, postmaster);
    },
  );

  it('leaves no process behind when the supervisor is killed, and the client leaves first', async (test) => {
    const stack = await startReady(test);
    const postmaster = await stack.postmaster();
    stack.program.child.kill('SIGKILL');
    await stack.program.ended;
    await expectNothingLeft(stack, postmaster);
    expect(stack.program.output()).toContain('client stops, Postgres answered');
  });

  it('leaves no process behind when the whole process group is killed', async (test) => {
    const stack = await startReady(test);
    const postmaster = await stack.postmaster();
    process.kill(-stack.program.pid, 'SIGKILL');
    await expectNothingLeft(stack, postmaster);
  });

  it('leaves no process behind when it is stopped at its very start', async (test) => {
    const stack = await start(test, await temporaryFolder(test));
    await eventually('the part', () => stack.pidsOf('postgres').length === 1);
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack, await stack.postmaster());
  });

  it('makes a new database and restarts what is above, when the folder was deleted', async (test) => {
    const stack = await startReady(test);
    process.kill(await stack.postmaster(), 'SIGKILL');
    await rm(join(stack.dataDir, 'postgres'), { recursive: true, maxRetries: 10 });
    await eventually('a second client', () => stack.pidsOf('client').length === 2 && answers(stack) >= 2);
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack, await stack.postmaster());
  });

  it('fails with one sentence when Postgres cannot be had', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
    const { program } = await start(test, dataDir);
    expect(await program.ended).toBe(1);
    expect(program.output()).toMatch(
      /^forked postgres \d+\nThe database in \S+ was made by Postgres 15.*\.\nfailed\n$/,
    );
  });
});
