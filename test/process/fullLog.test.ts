import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const LOG = fileURLToPath(new URL('../../src/process/log.ts', import.meta.url));
/** Logs, works on for a moment, logs again, ends by itself. */
const PROGRAM = `
const { createLogger } = await import(${JSON.stringify(LOG)});
const log = createLogger('test', 'info');
log.info('first');
await new Promise((resolve) => setTimeout(resolve, 300));
log.info('second');
process.stderr.write('still at work');
process.exit(7);
`;

async function runWith(stdout: number | 'pipe') {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  const streams = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    streams.stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    streams.stderr += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, ...streams };
}

describe('a log that cannot be written', () => {
  it.skipIf(!existsSync('/dev/full'))(
    'neither ends a process nor keeps it from ending, on a full disk',
    async () => {
      const full = openSync('/dev/full', 'w');
      try {
        expect(await runWith(full)).toEqual({ code: 7, stdout: '', stderr: 'still at work' });
      } finally {
        closeSync(full);
      }
    },
  );

  it('loses no line where there is room, also of a process that ends at once', async () => {
    const { code, stdout } = await runWith('pipe');
    const lines = stdout.trim().split('\n');
    expect({ code, messages: lines.map((line) => JSON.parse(line).msg) }).toEqual({
      code: 7,
      messages: ['first', 'second'],
    });
  });
});
