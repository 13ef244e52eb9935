import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { programArguments } from '../support/compiledSources.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program with no environment but the PATH: help needs neither a database nor a key. */
function run(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { cwd: ROOT, env: { PATH: process.env.PATH ?? '', NO_COLOR: '1' } };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('--help', () => {
  it.each([
    'migrate',
    'score',
    'fleet',
    'import',
    'export',
    'inspect',
    'backfill',
    'vee',
    'doctor',
    'demo',
    'scenario',
    'dataset',
    'archive',
  ])('of npm run %s says how it is called, and does nothing', async (command) => {
    const { code, stdout, stderr } = await run([...programArguments(`commands/${command}`), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^npm run ${command}\\b`));
    expect(stdout).toContain('--json');
    expect(stdout).not.toContain('\u001b');
  });

  it.each(['bench', 'endurance', 'campaign'])('of npm run %s says how it is called', async (command) => {
    const { code, stdout, stderr } = await run(['--import', 'tsx', `test/${command}/run.ts`, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^npm run ${command} `));
  });
});

describe('--json', () => {
  it.each([
    ['migrate', ['--json'], 'npm run migrate takes no argument but --plan: npm run migrate -- --plan'],
    [
      'fleet',
      ['export', '--tenant', 'T', '--json'],
      '--json goes with --out: without it stdout has the file.',
    ],
  ])('of npm run %s says where it does not go', async (command, args, sentence) => {
    const { code, stdout, stderr } = await run([...programArguments(`commands/${command}`), ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')[0]).toBe(sentence);
  });
});
