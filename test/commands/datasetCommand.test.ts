import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { programArguments } from '../support/compiledSources.js';
import { waitFor } from '../support/waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCENARIO = `scenario: A test
tenantId: THREADS
seed: 3
timeZone: America/New_York
meterCount: 200
feederCount: 10
span: { from: 2026-03-06, days: 5 }
events:
  - { type: theft, feeders: [FEEDER_1], form: reversed, meterFraction: 0.2, day: 1, durationMinutes: 3000 }
  - { type: theft, feeders: [FEEDER_4], severity: 0.6, meterFraction: 0.2, day: 1, durationMinutes: 3000 }
  - { type: comms-outage, feeders: [FEEDER_2], delivery: late, severity: 0.5, day: 2, durationMinutes: 300 }
`;

describe('npm run dataset', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridlens-dataset-command-'));
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, SCENARIO);
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (command: string, args: string[], env: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [...programArguments(`commands/${command}`), ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = async (command: string, args: string[], env: Record<string, string> = {}) => {
    const child = start(command, args, env);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
      });
    await once(child, 'close');
    return { code: child.exitCode, ...text };
  };
  const out = (name: string): string => join(folder, name);
  const hash = async (name: string, args: string[], env: Record<string, string> = {}): Promise<string> => {
    const { code, stdout, stderr } = await run('dataset', [file, '--out', out(name), '--json', ...args], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout).sha256;
  };

  it('makes the same bytes with any number of threads, in any zone, and killed half-way and gone on with', async () => {
    const one = await hash('one', ['--threads', '1'], {
      TZ: 'Pacific/Kiritimati',
      LANG: 'de_DE.UTF-8',
      LC_ALL: 'ar_EG',
    });
    expect(await hash('four', ['--threads', '4'], { TZ: 'America/St_Johns' })).toBe(one);

    const killed = start('dataset', [file, '--out', out('killed'), '--threads', '2']);
    await waitFor(
      'two parts',
      async () => existsSync(out('killed/.progress')) && readdirSync(out('killed/.progress')).length > 2,
    );
    killed.kill('SIGKILL');
    await once(killed, 'close');
    expect(existsSync(out('killed/manifest.json'))).toBe(false);
    expect(await hash('killed', ['--threads', '3', '--resume'])).toBe(one);
  });

  it('is scored without a database', async () => {
    const { code, stdout } = await run('score', ['--dataset', out('one')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/constant {5}recall (1\.000|0\.9\d\d)/);
    expect(stdout).toMatch(/reversed {5}recall 0\.\d{3}/);
    expect((await run('score', ['--dataset', folder])).stderr).toContain('holds no whole data set');
  });

  it('says what is wrong in a sentence, and writes nothing', async () => {
    writeFileSync(out('bad.yaml'), SCENARIO.replace('severity: 0.6', 'severity: 6'));
    const { code, stderr } = await run('dataset', [out('bad.yaml'), '--out', out('bad')]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `${out('bad.yaml')}, line 10: events.1.severity must be a number from 0 to 1.\n`,
    });
    expect(existsSync(out('bad'))).toBe(false);
    expect((await run('dataset', [file, '--out', out('one')])).stderr).toContain('is not empty');
    expect((await run('dataset', [out('gone.yaml'), '--out', out('bad')])).stderr).toContain(
      'cannot be read',
    );
    expect((await run('dataset', [file])).stderr).toContain('--out must name the folder');
  });
});
