import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { databaseUrlProblem, withPassword } from '../../src/db/databaseUrl.js';
import { hostUrls, inTurn, withFirstHost } from '../../src/db/hosts.js';
import { loadConfig } from '../../src/process/config.js';

describe('a URL of Postgres', () => {
  it.each(['/', '#', '?', '%'])(
    'P8: a raw %s in the password is met with the advice to percent-encode it',
    (character) => {
      expect(databaseUrlProblem(`postgres://gridlens:12${character}xy@db/gridlens`)).toContain(
        'percent-encoded',
      );
      const problem = databaseUrlProblem(
        `postgres://gridlens:abc${character}def@db.example.com:5432/gridlens`,
      );
      expect(problem).toContain('percent-encoded');
      expect(problem).not.toContain('abc');
      const encoded = `postgres://gridlens:abc${encodeURIComponent(character)}def@db.example.com:5432/gridlens`;
      expect(databaseUrlProblem(encoded)).toBeUndefined();
    },
  );

  it('P8: every password of openssl rand -base64 is either taken whole or met with that advice', () => {
    for (let start = 0; start < 64; start += 1) {
      const password = Buffer.from(
        Array.from({ length: 33 }, (_, at) => (start * 7 + at * 37) % 256),
      ).toString('base64');
      const url = `postgres://gridlens:${password}@db.example.com/gridlens`;
      const problem = databaseUrlProblem(url);
      if (problem === undefined) expect(decodeURIComponent(new URL(url).password)).toBe(password);
      else expect(problem).toContain('/ is %2F');
    }
  });

  it('a raw @ in the password is the password’s, also with several hosts, and none of it passes for a host', () => {
    const url = 'postgres://u:p@hunter2,x@one:5433,two/gridlens';
    expect(databaseUrlProblem(url)).toBeUndefined();
    expect(hostUrls(url)).toEqual([
      'postgres://u:p@hunter2,x@one:5433/gridlens',
      'postgres://u:p@hunter2,x@two/gridlens',
    ]);
    expect(withFirstHost(url, 1)).toBe('postgres://u:p@hunter2,x@two,one:5433/gridlens');
    expect(withPassword('postgres://me@server@one/gridlens', 'hunter2')).toBe(
      'postgres://me@server:hunter2@one/gridlens',
    );
  });

  it.each(['/', '#', '?'])(
    'a raw @ and then a raw %s in the password are met with that advice',
    (character) => {
      const problem = databaseUrlProblem(`postgres://u:p@hunter2${character}xy@db/gridlens`);
      expect(problem).toContain('percent-encoded');
      expect(problem).not.toContain('hunter2');
      expect(databaseUrlProblem('postgres://u:p@db/gridlens?application_name=a@b')).toBeUndefined();
    },
  );

  it('P8: ?schema= is refused with what does the same', () => {
    expect(databaseUrlProblem('postgres://u:p@db/gridlens?schema=ami')).toMatch(/\?schema=.*search_path/);
  });

  it('P8: the compose file puts no password into a URL', () => {
    const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
    expect(compose).toMatch(/^ {4}DATABASE_PASSWORD_FILE: \/run\/secrets\/postgres-password$/m);
    expect(compose).toContain('DATABASE_URL: postgres://gridlens@postgres:5432/gridlens\n');
    expect(compose).not.toMatch(/:\/\/[^/\s]*\$\{[^/\s]*@/);
  });

  it('P6: several hosts are tried in turn, and a search for standbys belongs into DATABASE_READ_URL', () => {
    const url = 'postgres://u:p@one:5433,two/gridlens?sslmode=verify-full&target_session_attrs=read-write';
    expect(databaseUrlProblem(url)).toBeUndefined();
    expect(hostUrls(url)).toEqual([
      'postgres://u:p@one:5433/gridlens?sslmode=verify-full',
      'postgres://u:p@two/gridlens?sslmode=verify-full',
    ]);
    expect(withFirstHost(url, 1)).toBe(
      'postgres://u:p@two,one:5433/gridlens?sslmode=verify-full&target_session_attrs=read-write',
    );
    const hosts = inTurn(hostUrls(url));
    const [one, two] = hostUrls(url) as [string, string];
    hosts.leave(one);
    // Another connection to the first host has failed as well.
    hosts.leave(one);
    expect(hosts.current()).toBe(two);
    hosts.leave(two);
    expect(hosts.current()).toBe(one);

    const standbys = 'postgres://u:p@one,two/gridlens?target_session_attrs=prefer-standby';
    const env = { DATABASE_URL: 'postgres://u:p@one/gridlens', GRIDLENS_API_KEY: '0123456789abcdef' };
    const load = (more: Record<string, string>) =>
      loadConfig({ ...env, ...more }, { command: 'api', cwd: '/nonexistent' });
    expect(load({ DATABASE_READ_URL: standbys }).databaseReadUrl).toBe(standbys);
    expect(() => load({ DATABASE_URL: standbys })).toThrow(
      /DATABASE_URL has a target_session_attrs.*DATABASE_READ_URL/,
    );
  });

  it('P7: each sslmode that pg takes for verify-full is called that, without a line of warning', () => {
    for (const mode of ['prefer', 'require', 'verify-ca'])
      expect(hostUrls(`postgres://u:p@db/gridlens?sslmode=${mode}`)).toEqual([
        'postgres://u:p@db/gridlens?sslmode=verify-full',
      ]);
    for (const mode of ['disable', 'no-verify', 'verify-full'])
      expect(hostUrls(`postgres://u:p@db/gridlens?sslmode=${mode}`)).toEqual([
        `postgres://u:p@db/gridlens?sslmode=${mode}`,
      ]);
  });
});
