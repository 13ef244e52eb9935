import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Room {
  floor: number;
  doors: 'all' | string[];
}
interface Plan {
  rooms: Record<string, Room>;
  pureFiles: string[];
  entries: string[];
}
const { rooms } = createRequire(import.meta.url)('../../config/rooms.cjs') as Plan;

interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}

/** What dependency-cruiser says of a house made of these files, held to the real rules. */
function violationsOf(files: Record<string, string>): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gridlens-rooms-'));
  try {
    const packages = ['zod', 'dotenv', 'express'];
    const all: Record<string, string> = {
      'package.json': JSON.stringify({
        type: 'module',
        dependencies: Object.fromEntries(packages.map((name) => [name, '1.0.0'])),
      }),
      'tsconfig.json': JSON.stringify({
        compilerOptions: { module: 'NodeNext', moduleResolution: 'NodeNext' },
      }),
      ...Object.fromEntries(
        packages.flatMap((name) => [
          [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
          [`node_modules/${name}/index.js`, 'module.exports = {};'],
        ]),
      ),
      ...files,
    };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const config = join(ROOT, 'config/dependency-cruiser.cjs');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [cruiser, '--config', config, '--output-type', 'json', 'src'],
      { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
    );
    if (stdout === '') throw new Error(stderr);
    const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
    return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const importing = (...paths: string[]): string =>
  `${paths.map((path) => `import '${path}';`).join('\n')}\nexport const value = 1;\n`;
const NOTHING = importing();
/** A file of a room that others may import. */
const doorOf = (name: string): string => {
  const doors = rooms[name]?.doors ?? 'all';
  return `src/${name}/${doors === 'all' ? 'anything' : (doors[0] ?? 'migrate')}.ts`;
};
const fromRoom = (path: string): string => `../${path.slice('src/'.length).replace(/\.ts$/, '.js')}`;

describe('the rules of the rooms', () => {
  it('refuse what is behind a door, room by room', () => {
    const files: Record<string, string> = {};
    const expected: string[] = [];
    const hidden = Object.keys(rooms).filter((name) => rooms[name]?.doors !== 'all');
    for (const name of hidden) {
      const above = Object.keys(rooms).find(
        (other) => (rooms[other]?.floor ?? 0) > (rooms[name]?.floor ?? 0),
      );
      const from = above === undefined ? 'src/start.ts' : `src/${above}/visitor-of-${name}.ts`;
      files[`src/${name}/hidden.ts`] = NOTHING;
      files[from] = importing(
        above === undefined ? `./${name}/hidden.js` : fromRoom(`src/${name}/hidden.ts`),
      );
      expected.push(`door-of-${name}: ${from} -> src/${name}/hidden.ts`);
    }
    const found = violationsOf(files);
    expect(expected).toHaveLength(hidden.length);
    expect(found).toEqual(expect.arrayContaining(expected));
  });

  it('refuse a way up, and a way to the same floor, room by room', () => {
    const files: Record<string, string> = {};
    const expected: string[] = [];
    for (const [name, { floor }] of Object.entries(rooms)) {
      for (const [other, { floor: otherFloor }] of Object.entries(rooms)) {
        if (other === name || otherFloor < floor) continue;
        const door = doorOf(other);
        files[door] ??= NOTHING;
        const from = `src/${name}/climber-to-${other}.ts`;
        files[from] = importing(fromRoom(door));
        expected.push(`floor-of-${name}: ${from} -> ${door}`);
      }
    }
    const found = violationsOf(files);
    expect(expected.length).toBeGreaterThan(Object.keys(rooms).length);
    expect(found).toEqual(expect.arrayContaining(expected));
  });

  it('take a way down through a door', () => {
    const found = violationsOf({
      'src/index.ts': importing('./process/apiProcess.js'),
      'src/process/apiProcess.ts': importing('../kpi/quickcheck.js'),
      'src/kpi/quickcheck.ts': importing('../events/eventTable.js', './sections.js'),
      'src/kpi/sections.ts': importing('../contracts/limits.js'),
      'src/events/eventTable.ts': importing('../contracts/limits.js'),
      'src/contracts/limits.ts': importing('zod'),
    });
    expect(found).toEqual([]);
  });

  it('refuse circles, rooms without a plan, orphans, and impure files', () => {
    const found = violationsOf({
      'src/index.ts': importing(
        './reads/meterReads.js',
        './attic/box.js',
        './automatic/automatic.js',
        './contracts/fields.js',
        './emulator/reads.js',
        './publishing/plan.js',
      ),
      'src/reads/meterReads.ts': importing('./circle.js'),
      'src/reads/circle.ts': importing('./meterReads.js'),
      'src/attic/box.ts': importing('node:path'),
      'src/reads/orphan.ts': NOTHING,
      'src/automatic/automatic.ts': importing('dotenv', './window.js'),
      'src/automatic/window.ts': importing('./claims.js'),
      'src/automatic/claims.ts': NOTHING,
      'src/contracts/fields.ts': importing('express'),
      'src/emulator/reads.ts': importing('node:fs'),
      'src/publishing/plan.ts': importing('../db/db.js'),
      'src/db/db.ts': importing('node:path'),
    });
    for (const expected of [
      /^no-circular: src\/reads\//,
      /^every-file-in-a-room: src\/attic\/box\.ts/,
      /^no-orphans: src\/reads\/orphan\.ts/,
      /^only-config-reads-the-environment: src\/automatic\/automatic\.ts/,
      /^pure-files-import-only-pure-files: src\/automatic\/window\.ts -> src\/automatic\/claims\.ts/,
      /^pure-files-import-only-pure-files: src\/publishing\/plan\.ts -> src\/db\/db\.ts/,
      /^pure-files-use-only-pure-libraries: src\/contracts\/fields\.ts/,
      /^pure-files-use-only-pure-libraries: src\/emulator\/reads\.ts/,
    ])
      expect(found).toContainEqual(expect.stringMatching(expected));
  });
});

describe('every room', () => {
  it.each(Object.keys(rooms))('%s says at the head of one file what it promises', (name) => {
    const folder = join(ROOT, 'src', name);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const heads = files.filter((file) =>
      readFileSync(join(folder, file), 'utf8').startsWith(`/**\n * Room: ${name}. Promises: `),
    );
    expect(heads).toHaveLength(1);
  });
});
