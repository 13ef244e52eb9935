import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCheckout, runIn } from '../support/checkout.js';

const BUILD = ['npm', 'run', '--silent', 'build'];
/** Three lines with a package in the same bundle; the last but one throws, at its column 9. */
const THROWING = `import { z } from 'zod';
function refuse(value: string): never {
  throw new Error(z.string().parse(value));
}
refuse('as it must');
`;

describe('dist', () => {
  it('names files and lines of src in stack traces, and no map has anything of a package', async (test) => {
    const checkout = await makeCheckout(test);
    await writeFile(join(checkout, 'src/added.ts'), THROWING);
    expect((await runIn(test, checkout, BUILD)).code).toBe(0);
    const { output } = await runIn(test, checkout, ['node', '--enable-source-maps', 'dist/added.js']);
    expect(output).toContain('Error: as it must');
    expect(output).toMatch(/at refuse \(.*\/src\/added\.ts:3:9\)/);
    expect(output).toMatch(/at .*\/src\/added\.ts:5:1/);

    const maps = (await readdir(join(checkout, 'dist'), { recursive: true })).filter((path) =>
      path.endsWith('.js.map'),
    );
    const sources: string[] = [];
    for (const path of maps)
      sources.push(...JSON.parse(await readFile(join(checkout, 'dist', path), 'utf8')).sources);
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.filter((source) => !/^(\.\.\/)+src\//.test(source))).toEqual([]);
  });

  it('is compiled again where a package in it has another version than the installed one', async (test) => {
    const checkout = await makeCheckout(test);
    const record = join(checkout, 'dist/made-from');
    const made = await readFile(record, 'utf8');
    expect(made).toMatch(/^node_modules\/zod \d/m);
    expect((await runIn(test, checkout, BUILD)).output).toBe('');
    await writeFile(record, made.replace(/^node_modules\/zod .*$/m, 'node_modules/zod 0.0.1'));
    expect((await runIn(test, checkout, BUILD)).output).toBe('Compiled src/ and page/ to dist/.\n');
    expect(await readFile(record, 'utf8')).toBe(made);
  });

  it('has its packages in it: a command runs where none is installed', async (test) => {
    const checkout = await makeCheckout(test, 'production');
    await rm(join(checkout, 'node_modules'), { recursive: true });
    const { output } = await runIn(test, checkout, ['node', 'dist/commands/migrate.js', '--unknown']);
    expect(output).toMatch(/^npm run migrate takes no argument[^\n]*\n$/);
  });
});
