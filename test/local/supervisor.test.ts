import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restartDelayMs } from '../../src/local/stack/partRunner.js';
import {
  eventsIn,
  eventually,
  isGone,
  type Program,
  startFixture,
  type Test,
  temporaryFolder,
} from './fixtures/processes.js';

interface Stack {
  program: Program;
  journal: string;
  /** Process numbers of a part, in the order of its starts. */
  pidsOf: (name: string) => Promise<number[]>;
  /** `name event` of everything but the starts. */
  story: () => Promise<string[]>;
}

async function start(test: Test, stages: [string, string][][]): Promise<Stack> {
  const journal = join(await temporaryFolder(test), 'journal');
  const program = startFixture(test, 'supervisorMain', [journal, JSON.stringify(stages)]);
  const pidsOf = async (name: string) => {
    const events = await eventsIn(journal);
    return events.filter((event) => event.name === name && event.event === 'started').map(({ pid }) => pid);
  };
  const story = async () => (await eventsIn(journal)).map(({ name, event }) => `${name} ${event}`);
  return { program, journal, pidsOf, story };
}

const allReady = ({ program }: Stack) =>
  eventually('all ready', () => program.output().includes('all ready'));

async function expectNothingLeft({ journal }: Stack): Promise<void> {
  for (const { pid } of await eventsIn(journal)) await eventually(`end of process ${pid}`, () => isGone(pid));
}

const ORDINARY: [string, string][][] = [
  [['postgres', 'obeys']],
  [
    ['api', 'obeys'],
    ['worker', 'obeys'],
  ],
];

describe('supervisor', { concurrent: true }, () => {
  it('starts stage after stage, and each part is told what earlier ones reported', async (test) => {
    const stack = await start(test, ORDINARY);
    await allReady(stack);
    expect((await stack.story()).slice(0, 2)).toEqual(['postgres started', 'postgres ready']);
    const reported: unknown = JSON.parse(/all ready (.*)/.exec(stack.program.output())?.[1] ?? '');
    expect(reported).toMatchObject({
      postgres: { told: '' },
      api: { told: expect.stringMatching(/^postgres/) },
      worker: { told: expect.stringMatching(/^postgres/) },
    });
    stack.program.child.kill('SIGINT');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack);
  });

  it.for(['SIGTERM', 'SIGHUP'] as const)('stops the last stage first on %s', async (signal, test) => {
    const stack = await start(test, ORDINARY);
    await allReady(stack);
    stack.program.child.kill(signal);
    stack.program.child.kill(signal);
    expect(await stack.program.ended).toBe(0);
    const stops = (await stack.story()).filter((line) => line.endsWith('SIGTERM'));
    expect(stops.slice(0, 2).sort()).toEqual(['api SIGTERM', 'worker SIGTERM']);
    expect(stops.slice(2)).toEqual(['postgres SIGTERM']);
    await expectNothingLeft(stack);
  });

  it('starts a part again that was killed, and leaves the others alone', async (test) => {
    const stack = await start(test, ORDINARY);
    await allReady(stack);
    for (const restarts of [1, 2]) {
      process.kill((await stack.pidsOf('worker')).at(-1) ?? 0, 'SIGKILL');
      await eventually('a restart', async () => {
        const readies = (await stack.story()).filter((line) => line === 'worker ready');
        return readies.length === restarts + 1;
      });
    }
    expect(stack.program.output()).toContain('worker ended (SIGKILL): started again.');
    expect(await stack.pidsOf('api')).toHaveLength(1);
    expect(await stack.pidsOf('postgres')).toHaveLength(1);
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack);
  });

  it('restarts later stages when an earlier part comes back with other details', async (test) => {
    const stack = await start(test, [[['postgres', 'changes']], [['api', 'obeys']]]);
    await allReady(stack);
    process.kill((await stack.pidsOf('postgres'))[0] ?? 0, 'SIGKILL');
    await eventually('a second api', async () => (await stack.pidsOf('api')).length === 2);
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    await expectNothingLeft(stack);
  });

  it('fails as a whole when a part ends before it was ready, while its neighbour never gets ready', async (test) => {
    const stack = await start(test, [
      [['postgres', 'obeys']],
      [
        ['worker', 'never-ready'],
        ['api', 'fails'],
      ],
    ]);
    expect(await stack.program.ended).toBe(1);
    expect(stack.program.output()).toBe('api cannot start: the reason.\nfailed\n');
    await expectNothingLeft(stack);
  });

  it('does not start the next stage when asked to stop during the first', async (test) => {
    const stack = await start(test, [[['postgres', 'never-ready']], [['api', 'obeys']]]);
    await eventually('the first part', async () => (await stack.pidsOf('postgres')).length === 1);
    // The part listens for signals only once its modules are loaded, and it is then that it writes `started`.
    stack.program.child.kill('SIGTERM');
    expect(await stack.program.ended).toBe(0);
    expect(await stack.pidsOf('api')).toEqual([]);
    await expectNothingLeft(stack);
  });

  it('kills a part that does not heed SIGTERM, and then still stops the earlier stage', async (test) => {
    const stack = await start(test, [[['postgres', 'obeys']], [['api', 'stubborn']]]);
    await allReady(stack);
    stack.program.child.kill('SIGINT');
    expect(await stack.program.ended).toBe(0);
    const story = await stack.story();
    expect(story.slice(-2)).toEqual(['api SIGTERM', 'postgres SIGTERM']);
    await expectNothingLeft(stack);
  });

  it('leaves no part behind when it is killed itself', async (test) => {
    const stack = await start(test, ORDINARY);
    await allReady(stack);
    stack.program.child.kill('SIGKILL');
    await stack.program.ended;
    await expectNothingLeft(stack);
    expect((await stack.story()).filter((line) => line.endsWith('lost'))).toHaveLength(3);
  });

  it('stops when npm is gone, which told only its shell', async (test) => {
    const journal = join(await temporaryFolder(test), 'journal');
    // `; true` keeps any shell from becoming the program, as npm's dash does not.
    const shell = startFixture(test, 'supervisorMain', [journal, JSON.stringify(ORDINARY)], {
      env: { npm_lifecycle_event: 'start' },
      shell: true,
    });
    await eventually('all ready', () => shell.output().includes('all ready'));
    shell.child.kill('SIGTERM');
    await shell.ended;
    for (const { pid } of await eventsIn(journal))
      await eventually(`end of process ${pid}`, () => isGone(pid));
    await eventually('its last word', () => shell.output().endsWith('stopped\n'));
  });

  it('leaves no part behind when it is killed while they load', async (test) => {
    const stack = await start(test, [
      [
        ['postgres', 'never-ready'],
        ['other', 'never-ready'],
      ],
    ]);
    await eventually('a first sign', async () => (await stack.story()).length > 0);
    stack.program.child.kill('SIGKILL');
    await stack.program.ended;
    await eventually(
      'both started',
      async () => (await stack.story()).filter((line) => line.endsWith('started')).length === 2,
    );
    await expectNothingLeft(stack);
  });

  it('keeps signals of the terminal away from the parts', async (test) => {
    const stack = await start(test, ORDINARY);
    await allReady(stack);
    process.kill(-stack.program.pid, 'SIGINT'); // Ctrl-C: the whole foreground group.
    expect(await stack.program.ended).toBe(0);
    expect((await stack.story()).filter((line) => line.endsWith('SIGINT'))).toEqual([]);
    await expectNothingLeft(stack);
  });
});

describe('restart delay', () => {
  it('doubles from half a second to ten, and starts over after half a minute of health', () => {
    const delays: number[] = [];
    for (let restart = 0; restart < 7; restart += 1) delays.push(restartDelayMs(delays.at(-1), 0));
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(restartDelayMs(10_000, 29_999)).toBe(10_000);
    expect(restartDelayMs(10_000, 30_000)).toBe(500);
  });
});
