import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfig } from '../../src/process/config.js';

const DATABASE = 'postgres://gridlens:hunter2secret@db.example.com/grid';
const ONE = '0123456789abcdef-one';
const TWO = '0123456789abcdef-two';
const READ = '0123456789abcdef-read';

const load = (env: Record<string, string>, command: LoadOptions['command'] = 'api', cwd = '/nonexistent') =>
  loadConfig({ DATABASE_URL: DATABASE, ...env }, { command, cwd });
/** The one sentence of a refusal; no part of a key is in it. */
const refusal = (env: Record<string, string>, cwd?: string): string => {
  try {
    load(env, 'api', cwd);
  } catch (error) {
    const { message } = error as Error;
    expect(message.split('\n')).toHaveLength(1);
    expect(message).not.toMatch(/0123456789|hunter2/);
    return message;
  }
  throw new Error('it was accepted');
};

describe('keys', () => {
  it('are one or several, comma-separated', () => {
    expect(load({ GRIDLENS_API_KEY: ONE }).apiKeys).toEqual([ONE]);
    expect(load({ GRIDLENS_API_KEY: `${ONE}, ${TWO}` }).apiKeys).toEqual([ONE, TWO]);
    expect(load({ GRIDLENS_API_KEY: ONE }).readKeys).toEqual([]);
    expect(load({ GRIDLENS_API_KEY: ONE, GRIDLENS_READ_KEY: `${READ},${TWO}` }).readKeys).toEqual([
      READ,
      TWO,
    ]);
  });

  it.each([
    ['a comma at the end', `${ONE},`, 'a comma with no key'],
    ['a comma at the beginning', `,${ONE}`, 'a comma with no key'],
    ['two commas', `${ONE},,${TWO}`, 'a comma with no key'],
    ['a short one among them', `${ONE},0123456789abcde`, 'at least 16 characters'],
    ['a blank within', `${ONE},0123456789 abcdef`, 'without spaces'],
    ['a character of another script', '0123456789abcdé-one', 'printable ASCII'],
    ['the example', `${ONE},replace-with-a-long-random-key`, "still the example's"],
    ['the same twice', `${ONE},${ONE}`, 'has a key twice'],
  ])('refuses %s', (_name, keys, reason) => {
    expect(refusal({ GRIDLENS_API_KEY: keys })).toMatch(/^GRIDLENS_API_KEY /);
    expect(refusal({ GRIDLENS_API_KEY: keys })).toContain(reason);
    expect(refusal({ GRIDLENS_API_KEY: TWO.toUpperCase(), GRIDLENS_READ_KEY: keys })).toMatch(
      /^GRIDLENS_READ_KEY /,
    );
  });

  it('refuses a read key that may write, and one that is blank', () => {
    expect(refusal({ GRIDLENS_API_KEY: `${ONE},${TWO}`, GRIDLENS_READ_KEY: `${READ},${TWO}` })).toMatch(
      /^GRIDLENS_READ_KEY has a key that GRIDLENS_API_KEY has too/,
    );
    expect(refusal({ GRIDLENS_API_KEY: ONE, GRIDLENS_READ_KEY: ' ' })).toMatch(/^GRIDLENS_READ_KEY is blank/);
  });
});

describe('secrets in files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridlens-secrets-'));
    writeFileSync(join(folder, 'key'), `${ONE}\n`);
    writeFileSync(join(folder, 'url'), `${DATABASE}\r\n`);
    writeFileSync(join(folder, 'password'), 'p/w@#%é\n');
    writeFileSync(join(folder, 'empty'), '\n');
    writeFileSync(join(folder, 'two'), `${ONE}\n${TWO}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are read where NAME_FILE names them, without the line feed that ends them', () => {
    const env = { GRIDLENS_API_KEY_FILE: join(folder, 'key'), DATABASE_URL_FILE: 'url' };
    const config = loadConfig(env, { command: 'api', cwd: folder });
    expect(config).toMatchObject({ apiKeys: [ONE], databaseUrl: DATABASE });
    for (const name of ['DATABASE_READ_URL', 'QUEUE_DATABASE_URL'])
      expect(() => load({ GRIDLENS_API_KEY: ONE, [`${name}_FILE`]: join(folder, 'url') })).not.toThrow();
  });

  it('give each URL of Postgres its password, percent-encoded, but not those that have one', () => {
    const config = load({
      GRIDLENS_API_KEY: ONE,
      DATABASE_URL: 'postgres://gridlens@one:5432,two/grid',
      QUEUE_DATABASE_URL: 'postgres://queue:own@db/grid',
      DATABASE_READ_URL: 'postgres://reader@standby/grid',
      DATABASE_PASSWORD_FILE: join(folder, 'password'),
    });
    const password = 'p%2Fw%40%23%25%C3%A9';
    expect(config.databaseUrl).toBe(`postgres://gridlens:${password}@one:5432,two/grid`);
    expect(config.databaseReadUrl).toBe(`postgres://reader:${password}@standby/grid`);
    expect(config.queueDatabaseUrl).toBe('postgres://queue:own@db/grid');
    expect(
      refusal({ GRIDLENS_API_KEY: ONE, DATABASE_URL: 'postgres://db/grid', DATABASE_PASSWORD: 'x' }),
    ).toMatch(/^DATABASE_PASSWORD is set, but DATABASE_URL names no user/);
  });

  it.each([
    ['is not there', 'none', 'there is no such file'],
    ['is a folder', '.', 'it is a folder'],
    ['is empty', 'empty', 'is empty'],
    ['has two lines', 'two', 'is not one line of text'],
  ])('refuse to start where the file %s', (_name, file, reason) => {
    const sentence = refusal({ GRIDLENS_API_KEY: ONE, GRIDLENS_READ_KEY_FILE: file }, folder);
    expect(sentence).toMatch(/^GRIDLENS_READ_KEY_FILE names /);
    expect(sentence).toContain(reason);
  });

  it('refuse to start without showing what was set, where that is no path: it may be the secret itself', () => {
    for (const secret of [ONE, `/${ONE}`, `a/${ONE}`, DATABASE, 'hunter2']) {
      const sentence = refusal({ GRIDLENS_API_KEY: ONE, DATABASE_PASSWORD_FILE: secret }, folder);
      expect(sentence).toMatch(/^DATABASE_PASSWORD_FILE names a file .* cannot be read/);
    }
    const missing = join(folder, 'missing');
    expect(refusal({ GRIDLENS_API_KEY: ONE, DATABASE_PASSWORD_FILE: missing }, folder)).toContain(missing);
  });

  it('refuse to start where the file of a read key is blank: everybody could read', () => {
    expect(refusal({ GRIDLENS_API_KEY: ONE, GRIDLENS_READ_KEY_FILE: ' ' })).toMatch(
      /^GRIDLENS_READ_KEY_FILE is blank/,
    );
    const env = { GRIDLENS_API_KEY: ONE, GRIDLENS_READ_KEY: READ, GRIDLENS_READ_KEY_FILE: '' };
    expect(load(env).readKeys).toEqual([READ]);
  });

  it('refuse to start where the variable is set as well', () => {
    const env = { GRIDLENS_API_KEY: ONE, GRIDLENS_API_KEY_FILE: join(folder, 'key') };
    expect(refusal(env)).toMatch(/^GRIDLENS_API_KEY_FILE is set, and GRIDLENS_API_KEY as well/);
  });
});
