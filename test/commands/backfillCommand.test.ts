import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openProgress } from '../../src/commands/progressBar.js';
import { programArguments } from '../support/compiledSources.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SMALL = ['--tenant', 'T', '--meters', '40', '--feeders', '10', '--batch-size', '20'];

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command over a deployment's database. */
function commandOver(deployment: () => Deployment) {
  const children: ChildProcess[] = [];
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [...programArguments('commands/backfill'), ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: deployment().database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
      });
    }
    const ended: Promise<Ended> = once(child, 'close').then(() => ({ code: child.exitCode, ...text }));
    return { child, text, ended };
  };
  return {
    start,
    backfill: (...args: string[]) => start(...args).ended,
    killAll() {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    },
  };
}

describe('npm run backfill', () => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment('postgres');
  });
  afterEach(async () => {
    killAll();
    await deployment.close();
  });

  const { start, backfill, killAll } = commandOver(() => deployment);
  const rows = async (sql: string) => (await deployment.database.pool.query(sql)).rows;

  it('fills the last day, shows how far it is in plain lines, and ends when it is there', async () => {
    const worker = await deployment.startWorker();
    await waitFor('its heartbeat', async () => (await rows('SELECT FROM ami_workers')).length > 0);
    const { code, stdout, stderr } = await backfill(...SMALL, '--days', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^Backfill [0-9a-f-]{36} of T: 96 intervals of 15 minutes from \S+Z to before \S+Z, the newest first, 40 meters each\.$/,
    );
    expect(lines[1]).toMatch(
      /^\d+\.\d % {2}\d+ of 96 intervals, [\d,]+ reads written, at least \d+ s to go$/,
    );
    expect(lines.at(-1)).toMatch(/^Done: 96 of 96 intervals are there\. It wrote 3,840 reads in \d+ s\.$/);
    const [reads] = await rows(
      'SELECT count(*)::integer AS reads, count(DISTINCT read_at)::integer AS intervals FROM meter_reads_electric',
    );
    expect(reads).toEqual({ reads: 3_840, intervals: 96 });
    await worker.stop();
  });

  it('fills the last whole intervals, and not the one that runs', async () => {
    const worker = await deployment.startWorker();
    await waitFor('its heartbeat', async () => (await rows('SELECT FROM ami_workers')).length > 0);
    const { code, stdout } = await backfill(...SMALL, '--intervals', '2', '--to', '2026-01-31T01:00:00Z');
    expect(code).toBe(0);
    expect(stdout).toContain(
      ': 2 intervals of 15 minutes from 2026-01-31T00:30:00.000Z to before 2026-01-31T01:00',
    );
    const hour = await backfill(...SMALL, '--intervals', '1', '--interval', '60');
    expect(hour.stdout).toContain(': 1 interval of 60 minutes from ');
    const [latest] = await rows(
      `SELECT max(read_at) = date_bin('1 hour', now(), '2000-01-01T00:00Z') - interval '1 hour' AS "isTheLastHour"
       FROM meter_reads_electric`,
    );
    expect(latest).toEqual({ isTheLastHour: true });
    await worker.stop();
  });

  it('says that no worker is running, is left with the backfill going on, joined, and cancelled', async () => {
    const hours = ['--from', '2026-01-31T00:00:00Z', '--to', '2026-01-31T06:00:00Z'];
    const first = start(...SMALL, ...hours);
    await waitFor('its first line', async () => first.text.stdout.includes('0 of 24 intervals'));
    first.child.kill('SIGINT');
    const left = await first.ended;
    expect(left.code).toBe(130);
    expect(left.stdout).toContain('; no worker is running\n');
    expect(left.stderr).toBe(
      'No worker is running: nothing is filled until one is (npm start, or npm run worker).\n' +
        'The backfill goes on without this command. To end it: npm run backfill -- --tenant T --cancel\n',
    );
    const again = start(...SMALL, ...hours);
    await waitFor('it to join', async () => again.text.stdout.includes('0 of 24 intervals'));
    expect(again.text.stdout).toContain(
      ', which is under way: 24 intervals of 15 minutes from 2026-01-31T00',
    );
    expect(await rows('SELECT FROM ami_backfills')).toHaveLength(1);
    const cancelled = await backfill('--tenant', 'T', '--cancel');
    expect(cancelled).toMatchObject({ code: 0, stderr: '' });
    expect(cancelled.stdout).toMatch(
      /^Cancelled backfill \S+ of T, with 0 of 24 intervals done; what was begun is still finished\.\n$/,
    );
    const ended = await again.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('The backfill was cancelled: 0 of 24 intervals are there');
    expect((await backfill('--tenant', 'T', '--cancel')).stdout).toBe(
      'Tenant T has no backfill under way.\n',
    );
  });

  it('ends with 1 and the reason when a batch was given up', async () => {
    const running = start(...SMALL, '--from', '2026-01-31T00:00:00Z', '--to', '2026-01-31T00:30:00Z');
    await waitFor('its first line', async () => running.text.stdout.includes('0 of 2 intervals'));
    await deployment.database.pool.query(
      `UPDATE ami_backfills SET state = 'failed', is_open = false, trouble = 'The registry is empty.'`,
    );
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(
      'The backfill failed: The registry is empty. 0 of 2 intervals are there; run it again to fill the rest.\n',
    );
  });

  it('ends with 0 and says which intervals were left alone', async () => {
    const running = start(...SMALL, '--from', '2026-01-31T00:00:00Z', '--to', '2026-01-31T01:00:00Z');
    await waitFor('its first line', async () => running.text.stdout.includes('0 of 4 intervals'));
    await deployment.database.pool.query(
      `UPDATE ami_backfills SET state = 'done', is_open = false, cursor_at = from_at - interval '15 min',
         covered_batches = 8, done_intervals = 1, overlapped_intervals = 3, finished_at = accepted_at + interval '2 s'`,
    );
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Done: 1 of 4 intervals are there. It wrote 0 reads in 2 s. 3 of them were left alone: intervals of another length have measured the same time, and its energy would count twice.\n',
    );
  });

  it('ends with 1 and the reason when it came to what is not kept any more', async () => {
    const running = start(...SMALL, '--from', '2026-01-31T00:00:00Z', '--to', '2026-01-31T00:30:00Z');
    await waitFor('its first line', async () => running.text.stdout.includes('0 of 2 intervals'));
    await deployment.database.pool.query(
      `UPDATE ami_backfills SET state = 'cancelled', is_open = false, trouble = 'It was too old.'`,
    );
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(
      'The backfill was cancelled: 0 of 2 intervals are there, and what was begun is still finished. It was too old.\n',
    );
  });
});

/** These leave nothing behind: one deployment is enough for them. */
describe('npm run backfill', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
  });
  afterAll(() => deployment.close());
  const { backfill } = commandOver(() => deployment);

  it.each([['--help'], ['-h']])('shows its usage for %s, without a database', async (option) => {
    const { code, stdout, stderr } = await backfill(option, '--tenant', 'T');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith('npm run backfill -- --tenant T --days 7\n')).toBe(true);
  });

  it.each([
    [[], 'Name the tenant: --tenant DEMO_TENANT.'],
    [
      ['--tenant', 'T'],
      'Say how far back, in one way: --days 7, --intervals 1, or --from 2026-01-01T00:00:00Z.',
    ],
    [['--tenant', 'T', '--days', '7', '--from', '2026-01-01T00:00:00Z'], 'Say how far back, in one way'],
    [['--tenant', 'T', '--days', '7', '--intervals', '1'], 'Say how far back, in one way'],
    [['--tenant', 'T', '--intervals', '0.5'], '--intervals must be a whole number from 1 to 35136.'],
    [['--tenant', 'a b', '--days', '7'], '--tenant must be 1 to 64 letters'],
    [['--tenant', 'T', '--days', '0'], '--days must be a whole number from 1 to 366.'],
    [['--tenant', 'T', '--days', '7', '--meters', '1.5'], '--meters must be a positive whole number.'],
    [['--tenant', 'T', '--days', '7', '--interval', '30'], '--interval must be 15 or 60.'],
    [['--tenant', 'T', '--from', '2026-01-01'], '--from must be an ISO 8601 instant with a zone'],
    [['--tenant', 'T', '--cancel', '--days', '7'], '--days does not go with --cancel.'],
    [['--tenant', 'T', '--day', '7'], "Unknown option '--day'"],
  ])('shows its usage for %j', async (args, reason) => {
    const { code, stdout, stderr } = await backfill(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(reason)).toBe(true);
    expect(stderr).toContain('\n\nnpm run backfill -- --tenant T --days 7\n');
  });

  it.each([
    [['--from', '2026-01-31T00:07:00Z'], '--from must lie on a 15-minute boundary in UTC'],
    [['--from', '2026-01-31T00:00:00Z', '--to', '2100-01-01T00:00:00Z'], '--to must not lie in the future'],
    [['--days', '1', '--to', '2026-01-31T00:07:00Z'], '--to must lie on a 15-minute boundary in UTC'],
    [['--intervals', '8785', '--interval', '60'], '--intervals must lie within 366 days before to'],
    [['--days', '7', '--fleet', 'registry'], 'fleet "registry" found no meters for tenant T in '],
  ])('says in its own words what cannot be filled: %j', async (args, reason) => {
    const { code, stdout, stderr } = await backfill('--tenant', 'T', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(reason)).toBe(true);
  });
});

describe('the progress of a long work', () => {
  /** What is written to a stream, that is a terminal or not. */
  const fakeStream = (isTTY: boolean) => {
    let text = '';
    const stream = {
      isTTY,
      columns: 100,
      write(chunk: string) {
        text += chunk;
        return true;
      },
    };
    return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
  };

  it('is a line every 5 s elsewhere, and only when there is news', () => {
    let now = 0;
    const { stream, text } = fakeStream(false);
    const display = openProgress(stream, () => now);
    for (; now <= 20_000; now += 500) display.show(now < 10_000 ? 1.25 : 50, 'so far');
    display.close();
    expect(text()).toBe('1.3 %  so far\n50.0 %  so far\n');
  });

  it('is a bar on a terminal, whose cursor comes back', async () => {
    const { stream, text } = fakeStream(true);
    const display = openProgress(stream);
    display.show(50, '48 of 96 intervals');
    await waitFor('the bar', async () => text().includes('50.0 %  48 of 96 intervals'));
    display.close();
    expect(text()).toContain('[============            ]');
    expect(text()).toContain('\u001b[?25l');
    expect(text().lastIndexOf('\u001b[?25h')).toBeGreaterThan(text().lastIndexOf('\u001b[?25l'));
  });
});
