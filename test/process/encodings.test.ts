import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { loadConfig } from '../../src/process/config.js';
import { openMigrationDatabase, prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { QUEUE_CHARACTERS } from '../../src/schema/queueCharacters.js';
import { planSchema } from '../../src/schema/schemaPlan.js';
import { type Test, temporaryFolder } from '../local/fixtures/processes.js';
import { makeCheckout, runIn } from '../support/checkout.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEXT =
  'DATABASE_URL=postgres://gridlens:Stra\u00dfe@db.example.com/grid\nGRIDLENS_API_KEY=0123456789abcdef\n';
const utf16 = (text: string, mark: boolean): Buffer =>
  Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');

describe('a .env', () => {
  const withEnv = async (test: Test, content: string | Buffer): Promise<string> => {
    const folder = await temporaryFolder(test);
    await writeFile(join(folder, '.env'), content);
    return folder;
  };
  const load = (cwd: string, env: NodeJS.ProcessEnv = {}) => loadConfig(env, { command: 'start', cwd });

  it.for([
    ['UTF-16 as PowerShell writes it', utf16(TEXT, true), /is not UTF-8 but UTF-16, as PowerShell writes/],
    ['UTF-16, big end first', utf16(TEXT, true).swap16(), /is not UTF-8 but UTF-16, as PowerShell writes/],
    ['UTF-16 without a byte order mark', utf16(TEXT, false), /is not text in UTF-8, as it has NUL bytes/],
    ['Latin-1', Buffer.from(TEXT, 'latin1'), /is not UTF-8: save it as UTF-8/],
  ] as const)(
    'F7: a .env in %s is refused in one sentence that says what helps',
    async ([, content, sentence], test) => {
      const folder = await withEnv(test, content);
      for (const env of [
        {},
        { DATABASE_URL: 'postgres://db.example.com/grid', GRIDLENS_API_KEY: '0123456789abcdef' },
      ]) {
        expect(() => load(folder, env)).toThrow(sentence);
        expect(() => load(folder, env)).toThrow(
          /^[^\n]*\.env is [^\n]*: save it as UTF-8, or remove it and set [^\n]*\.$/,
        );
      }
    },
  );

  it('F7: a .env that is a folder, or a link to nothing, is refused in one sentence', async (test) => {
    const folder = await temporaryFolder(test);
    await mkdir(join(folder, '.env'));
    expect(() => load(folder)).toThrow(
      /\.env cannot be read \(it is a folder, .*\): make it a file that this user/,
    );
    const other = await temporaryFolder(test);
    await symlink('gone', join(other, '.env'));
    expect(() => load(other)).toThrow(
      /\.env cannot be read \(it is a link to a file that is not there\): make/,
    );
  });

  it('F7: a .env that this user may not read is refused, unless DATABASE_URL comes from elsewhere', async (test) => {
    const folder = await withEnv(test, TEXT);
    await chmod(join(folder, '.env'), 0);
    const databaseUrl = 'postgres://db.example.com/grid';
    asOrdinaryUser(() => {
      expect(() => load(folder)).toThrow(
        /^[^\n]*\.env cannot be read \(this user may not\): make it a file that this user may read, or remove it and [^\n]*$/,
      );
      const env = { DATABASE_URL: databaseUrl, GRIDLENS_API_KEY: '0123456789abcdef' };
      expect(load(folder, env)).toMatchObject({ databaseUrl });
    });
  });

  it('F7: a .env in UTF-8 is read with a byte order mark and with CRLF, and none is needed', async (test) => {
    const folder = await withEnv(test, `\ufeff${TEXT.replaceAll('\n', '\r\n')}`);
    expect(load(folder)).toMatchObject({
      databaseUrl: 'postgres://gridlens:Stra\u00dfe@db.example.com/grid',
      apiKeys: ['0123456789abcdef'],
    });
    expect(load(await temporaryFolder(test))).toMatchObject({ databaseUrl: undefined, embedded: true });
  });

  it('F7: npm start makes no database where there is a .env that it cannot read', async (test) => {
    const checkout = await makeCheckout(test);
    await writeFile(join(checkout, '.env'), utf16(TEXT, true));
    const { code, output } = await runIn(test, checkout, ['npm', 'start', '--silent']);
    expect(output).toMatch(/^[^\n]*\.env is not UTF-8 but UTF-16[^\n]*\n$/);
    expect(code).toBe(1);
    expect(await readdir(checkout)).not.toContain('.gridlens');
  });
});

/** Root may read every file. */
function asOrdinaryUser(work: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('the encoding of a database', () => {
  const made: string[] = [];
  const onCluster = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: inject('clusterUrl') });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  const databaseIn = async (encoding: string): Promise<string> => {
    const name = `encoding_${randomUUID().replaceAll('-', '')}`;
    await onCluster(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LOCALE_PROVIDER libc LOCALE 'C'`,
    );
    made.push(name);
    const url = new URL(inject('clusterUrl'));
    url.pathname = `/${name}`;
    return url.href;
  };
  afterEach(async () => {
    for (const name of made.splice(0)) await onCluster(`DROP DATABASE ${name} WITH (FORCE)`);
  });
  const silent = createLogger('test', 'silent');
  /** What there is in it besides Postgres's own. */
  const objectsIn = async (connectionString: string): Promise<number> => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    const { rows } = await client
      .query(
        `SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384) + (SELECT count(*) FROM pg_namespace WHERE oid >= 16384) AS made`,
      )
      .finally(() => client.end());
    return Number(rows[0].made);
  };

  it.each(['LATIN1', 'WIN1252', 'KOI8R'])(
    'F7: a database in %s is refused for the queue in one sentence, before anything is made in it',
    async (encoding) => {
      const url = await databaseIn(encoding);
      const sentence = new RegExp(
        `^Database encoding_\\w+ has the encoding ${encoding}, and the queue's own SQL has [^\\n]*: set REDIS_URL, [^\\n]*$`,
      );
      await expect(prepareStorage(url, true, silent)).rejects.toThrow(sentence);
      expect(await objectsIn(url)).toBe(0);
      const database = openMigrationDatabase(url, () => undefined);
      const plan = { defaultTenantId: 'T', queueSchema: 'bullmq', now: new Date() };
      await expect(planSchema(database, plan).finally(() => database.end())).rejects.toThrow(sentence);
    },
  );

  it.each(['LATIN1', 'WIN1252', 'KOI8R'])(
    'F7: a database in %s works with the queue in Redis, as that says',
    async (encoding) => {
      const url = await databaseIn(encoding);
      await expect(prepareStorage(url, false, silent)).resolves.toMatchObject({ ownSchema: 'public' });
    },
  );

  it.each(['UTF8', 'SQL_ASCII'])('F7: a database in %s takes the queue too', async (encoding) => {
    const url = await databaseIn(encoding);
    await expect(prepareStorage(url, true, silent)).resolves.toMatchObject({ ownSchema: 'public' });
  });

  it('F7: the characters that are looked for are all that the SQL of BullMQ has, and our own has none', async () => {
    const bullmq = createRequire(import.meta.url).resolve('bullmq');
    const sql = await readFile(join(dirname(bullmq), 'postgres/sql-scripts.js'), 'utf8');
    const foreign = (text: string): string[] => [...new Set(text.match(/[^\0-\x7f]/gu) ?? [])].sort();
    expect(foreign(sql)).toEqual(foreign(QUEUE_CHARACTERS));
    for (const name of await readdir(join(ROOT, 'sql/schema')))
      expect(foreign(await readFile(join(ROOT, 'sql/schema', name), 'utf8')), name).toEqual([]);
  });
});
