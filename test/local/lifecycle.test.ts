import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { eventually, type Program, startFixture } from './fixtures/processes.js';

const said = (program: Program, word: string) =>
  eventually(word, () => program.output().includes(`${word}\n`));

describe('a process that is told to stop', { concurrent: true }, () => {
  it.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('has failed when %s comes before it is done', async ([signal, code], test) => {
    const program = startFixture(test, 'lifecycleMain', ['command']);
    await said(program, 'started');
    program.child.kill(signal);
    expect(await program.ended).toBe(code);
    expect(program.output()).toBe(
      `started\nGridLens was interrupted before it was done (${signal}); run it again to finish.\n`,
    );
  });

  it('ends with 0 once it runs', async (test) => {
    const program = startFixture(test, 'lifecycleMain', ['service']);
    await said(program, 'running');
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.output()).toBe('started\nrunning\nstopped\n');
  });

  it('says nothing under a supervisor, which knows why', async (test) => {
    const path = fileURLToPath(new URL('./fixtures/lifecycleMain.ts', import.meta.url));
    const child = fork(path, ['command'], { execArgv: ['--import', 'tsx'], silent: true });
    test.onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        output += chunk;
      });
    }
    await eventually('its start', () => output === 'started\n');
    child.kill('SIGTERM');
    expect((await once(child, 'close'))[0]).toBe(143);
    expect(output).toBe('started\n');
  });
});
