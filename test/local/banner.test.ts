import { describe, expect, it } from 'vitest';
import { type BannerFacts, banner } from '../../src/local/banner.js';

const embedded: BannerFacts = {
  host: '127.0.0.1',
  port: 5050,
  dataDir: '/srv/grid lens/.gridlens',
  postgresFolder: '/var/lib/gridlens/0123/postgres',
  databaseUrl: 'postgres://gridlens:database-secret@127.0.0.1:54329/gridlens',
  generatedApiKey: 'glk_made-here',
};

describe('banner', () => {
  it('shows what runs where, and the commands of the brief with the actual port', () => {
    expect(banner(embedded)).toMatchInlineSnapshot(`
      "
      GridLens AMI is running. Ctrl-C stops it.

        Dashboard  http://localhost:5050/
        API        http://localhost:5050
        Health     http://localhost:5050/healthz
        Database   embedded Postgres, data in /var/lib/gridlens/0123/postgres
        Queue      Postgres, the same database
        SQL        psql "$(cat '/srv/grid lens/.gridlens/database-url')"

      Try next, in another terminal:

      export GRIDLENS_API_KEY=glk_made-here

      # 1. Dry run: what 25,000 meters would mean
      curl -s -X POST http://localhost:5050/api/ami/publish-once \\
        -H "Authorization: Bearer $GRIDLENS_API_KEY" \\
        -H "Content-Type: application/json" \\
        -d '{"tenantId":"DEMO_TENANT","intervalMinutes":15,"batchSize":500,"meterCount":25000,"feederCount":25,"dryRun":true}' | python3 -m json.tool

      # 2. Publish one interval of 25,000 meters
      curl -s -X POST http://localhost:5050/api/ami/publish-once \\
        -H "Authorization: Bearer $GRIDLENS_API_KEY" \\
        -H "Content-Type: application/json" \\
        -d '{"tenantId":"DEMO_TENANT","intervalMinutes":15,"batchSize":500,"meterCount":25000,"feederCount":25}' | python3 -m json.tool

      # 3. What has arrived
      curl -s "http://localhost:5050/api/ami/scale/status?tenantId=DEMO_TENANT" | python3 -m json.tool
      "
    `);
  });

  it('shows hosts but no secrets', () => {
    const text = banner({
      ...embedded,
      postgresFolder: undefined,
      databaseUrl: 'postgres://app:database-secret@db.example.com/ami?sslmode=require&password=query-secret',
      redisUrl: 'rediss://user:redis-secret@cache.example.com:6380/2',
      generatedApiKey: undefined,
    });
    expect(text).toContain('  postgres://db.example.com/ami\n');
    expect(text).toContain('  Redis, rediss://cache.example.com:6380/2\n');
    expect(
      banner({ ...embedded, queueDatabaseUrl: 'postgres://app:queue-secret@direct:5433/ami?x=1' }),
    ).toContain('  Queue      Postgres, postgres://direct:5433/ami\n');
    expect(text).toContain('export GRIDLENS_API_KEY=...');
    expect(text).not.toContain('secret');
    expect(text).not.toContain('psql');
  });

  it('shows nothing of a password with a raw @', () => {
    const databaseUrl = 'postgres://app:data@base-secret@db.example.com/ami';
    const text = banner({ ...embedded, postgresFolder: undefined, databaseUrl });
    expect(text).toContain('  postgres://db.example.com/ami\n');
    expect(text).not.toContain('secret');
  });

  it('P6: shows each of several hosts', () => {
    const databaseUrl =
      'postgres://app:database-secret@one:5432,two:5433/ami?target_session_attrs=read-write';
    const text = banner({ ...embedded, postgresFolder: undefined, databaseUrl });
    expect(text).toContain('  postgres://one:5432,two:5433/ami\n');
    expect(text).not.toContain('secret');
  });

  it.each([
    ['0.0.0.0', 'http://localhost:5050'],
    ['::', 'http://localhost:5050'],
    ['192.168.1.7', 'http://192.168.1.7:5050'],
    ['fd00::7', 'http://[fd00::7]:5050'],
  ])('names an address for host %s that a browser can open', (host, url) => {
    expect(banner({ ...embedded, host })).toContain(`  ${url}\n`);
  });
});
