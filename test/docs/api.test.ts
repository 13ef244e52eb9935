import { readdirSync, readFileSync } from 'node:fs';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/process/app.js';
import { loadConfig } from '../../src/process/config.js';
import type { Services } from '../../src/process/services.js';

const SRC = new URL('../../src/', import.meta.url);
const DOCUMENT = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

interface Layer {
  route?: { path: string; methods: Record<string, boolean> };
  handle?: { stack?: Layer[] };
}

/** `POST /api/ami/start`; what answers HEAD, OPTIONS and 405 is not told apart from GET. */
function routesOf(stack: readonly Layer[], prefix = ''): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (!route) return routesOf(handle?.stack ?? [], '/api/ami');
    const methods = Object.keys(route.methods).filter((method) =>
      ['get', 'post', 'put', 'delete'].includes(method),
    );
    return methods.map((method) => `${method.toUpperCase()} ${prefix}${route.path}`);
  });
}

describe('docs/api.md', () => {
  it('lists every route, and no other', () => {
    // The routes are only listed: no service is called.
    const services = {} as Services;
    const config = loadConfig(
      { DATABASE_URL: 'postgres://user@localhost/none', GRIDLENS_API_KEY: 'key-of-a-test-only' },
      { command: 'api', cwd: '/nonexistent' },
    );
    const app = createApp({ config, log: pino({ level: 'silent' }) }, services);
    const routes = routesOf((app.router as unknown as { stack: Layer[] }).stack);
    expect(routes.length).toBeGreaterThan(15);
    const table = DOCUMENT.slice(DOCUMENT.indexOf('## Routes'), DOCUMENT.indexOf('## Errors'));
    const listed = [...table.matchAll(/`((?:GET|POST|PUT|DELETE) \/[^`]*)`/g)].map((match) => match[1]);
    expect(listed.toSorted()).toEqual(routes.toSorted());
  });

  it('lists every code that an error can have, with its status', () => {
    const source = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(new URL(path, SRC), 'utf8'))
      .join('\n');
    const thrown = source.matchAll(/new ApiError\(\s*(\d+),\s*'(\w+)'/g);
    const known = new Set([...thrown].map((match) => `${match[1]} ${match[2]}`));
    expect(known.size).toBeGreaterThan(8);
    const table = DOCUMENT.slice(
      DOCUMENT.indexOf('| status | `code` |'),
      DOCUMENT.indexOf('## Publish once'),
    );
    const listed = [...table.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)].flatMap((row) =>
      [...(row[2] ?? '').matchAll(/`(\w+)`/g)].map((code) => `${row[1]} ${code[1]}`),
    );
    expect(listed.toSorted()).toEqual([...known].toSorted());
  });
});
