import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';
import { onDeployment, sectionsOf } from './commandBlocks.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The README's own commands against `npm start`, on another port and data folder so that tests can share a machine. */
describe('the README', () => {
  let dataDir: string;
  let port: number;
  let readme: string;
  let started: ReturnType<typeof spawn>;
  let output = '';

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'gridlens-readme-'));
    // mkdtemp's 0700 would keep out the user that Postgres runs as under root.
    await chmod(dataDir, 0o755);
    port = await freePort();
    readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const { DATABASE_URL: _database, REDIS_URL: _redis, GRIDLENS_API_KEY: _key, ...env } = process.env;
    started = spawn('npm', ['start'], {
      cwd: ROOT,
      env: { ...env, PORT: String(port), GRIDLENS_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (chunk) => {
        output += String(chunk);
      });
    }
    await waitFor('the banner', async () => {
      if (started.exitCode !== null) throw new Error(`npm start ended: ${output}`);
      return output.includes('Try next');
    });
  });
  afterAll(async () => {
    const gone = once(started, 'exit');
    started.kill('SIGTERM');
    await gone;
    await rm(dataDir, { recursive: true, force: true });
  });

  /** The first code block of `language` that contains `text`. */
  const block = (language: string, text: string): string => {
    const blocks = sectionsOf(readme).flatMap((section) => section.blocks);
    const found = blocks.find((block) => block.language === language && block.text.includes(text));
    if (!found) throw new Error(`the README has no ${language} block with ${text}`);
    return found.text;
  };
  const shell = async (text: string): Promise<Record<string, unknown>> => {
    const command = onDeployment(`${block('sh', 'api-key')}\n${text}`, { port, dataDir });
    const { stdout } = await run('bash', ['-c', command], { cwd: ROOT });
    return JSON.parse(stdout);
  };

  it('prints for the dry run what it says it prints', async () => {
    expect(await shell(block('sh', '"dryRun":true'))).toEqual(JSON.parse(block('json', 'estimatedJobs')));
  });

  it('publishes 25,000 meters that all show in the scale status', async () => {
    const publish = block('sh', '"feederCount":25}');
    expect(publish).not.toContain('dryRun');
    expect(await shell(publish)).toMatchObject({ ok: true, enqueuedJobs: 50, publishId: expect.any(String) });
    const status = block('sh', 'scale/status');
    const done = await waitFor('25,000 reads', async () => {
      const answer = await shell(status);
      return answer.totalReads === 25_000 && answer;
    });
    expect(done).toMatchObject({ ok: true, totalDistinctMeters: 25_000 });
  });

  it('publishes by itself from one call on, what is there already left as it is', async () => {
    expect(await shell(block('sh', 'auto/start'))).toMatchObject({
      ok: true,
      mode: 'auto',
      config: { meterCount: 25_000, catchUpIntervals: 4 },
      safetyWarnings: [],
    });
    const status = block('sh', 'auto/status');
    expect(await shell(status)).toMatchObject({ ok: true, enabled: true, missed: null });
    // A boundary may come meanwhile.
    await waitFor('the hour before', async () => {
      const { totalReads } = await shell(block('sh', 'scale/status'));
      return (totalReads as number) >= 100_000;
    });
    const stopped = await fetch(`http://localhost:${port}/api/ami/auto/stop`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${(await readFile(join(dataDir, 'api-key'), 'utf8')).trim()}`,
      },
      body: '{"tenantId":"DEMO_TENANT"}',
    });
    expect(await stopped.json()).toMatchObject({ ok: true, wasEnabled: true });
  });

  it('answers quickcheck', async () => {
    const command = /`(curl -s "http:\/\/localhost:5000\/api\/ami\/kpi\/quickcheck[^`]*)`/.exec(readme)?.[1];
    expect(await shell(command ?? 'false')).toMatchObject({ ok: true, tenantId: 'DEMO_TENANT' });
  });

  it('names every variable of .env.example that the configuration knows', async () => {
    const example = await readFile(join(ROOT, '.env.example'), 'utf8');
    const named = new Set([...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map((match) => match[1]));
    const source = await readFile(join(ROOT, 'src/process/config.ts'), 'utf8');
    const examples = /const EXAMPLES[^{]*\{([\s\S]*?)\};/.exec(source)?.[1] ?? '';
    const known = new Set([...examples.matchAll(/^\s+([A-Z_]+):/gm)].map((match) => match[1]));
    expect(known.size).toBeGreaterThan(5);
    expect([...named].sort()).toEqual([...known].sort());
  });
});
