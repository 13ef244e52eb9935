/**
 * Room: local. Promises: `npm start` runs the whole product on one machine with nothing but Node, and leaves nothing
 * running when it ends, however it ends.
 */

import { shownRedisUrl } from '../queues/redis/redisUrl.js';

/** What `npm start` knows once everything runs. */
export interface BannerFacts {
  host: string;
  port: number;
  /** Absolute path of GridLens's own folder. */
  dataDir: string;
  /** Absolute path of the embedded Postgres's data, when there is one. */
  postgresFolder?: string | undefined;
  databaseUrl: string;
  redisUrl?: string | undefined;
  /** Where the queue in Postgres has a way of its own, around a pooler. */
  queueDatabaseUrl?: string | undefined;
  /** Only the key that the local stack made itself: one that was given is known to whoever gave it. */
  generatedApiKey?: string | undefined;
}

/** What to know and what to try next, as text for a terminal; no password in it. */
export function banner(facts: BannerFacts): string {
  const api = `http://${reachableHost(facts.host)}:${facts.port}`;
  const { postgresFolder } = facts;
  const lines: [string, string][] = [
    ['Dashboard', `${api}/`],
    ['API', api],
    ['Health', `${api}/healthz`],
    [
      'Database',
      postgresFolder ? `embedded Postgres, data in ${postgresFolder}` : withoutSecrets(facts.databaseUrl),
    ],
    ['Queue', queueOf(facts)],
  ];
  if (postgresFolder) lines.push(['SQL', `psql "$(cat ${quoted(`${facts.dataDir}/database-url`)})"`]);
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    '',
    'GridLens AMI is running. Ctrl-C stops it.',
    '',
    ...lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    'Try next, in another terminal:',
    '',
    `export GRIDLENS_API_KEY=${facts.generatedApiKey ?? '...   # the one you have set'}`,
    '',
    ...tryNext(api),
    '',
  ].join('\n');
}

function queueOf({ redisUrl, queueDatabaseUrl }: BannerFacts): string {
  if (redisUrl) return `Redis, ${shownRedisUrl(redisUrl)}`;
  return queueDatabaseUrl ? `Postgres, ${withoutSecrets(queueDatabaseUrl)}` : 'Postgres, the same database';
}

/** The commands that the scale request asked for: a dry run, the real one, and what came of it. */
function tryNext(api: string): string[] {
  const body = {
    tenantId: 'DEMO_TENANT',
    intervalMinutes: 15,
    batchSize: 500,
    meterCount: 25000,
    feederCount: 25,
  };
  return [
    '# 1. Dry run: what 25,000 meters would mean',
    ...publish(api, { ...body, dryRun: true }),
    '# 2. Publish one interval of 25,000 meters',
    ...publish(api, body),
    '# 3. What has arrived',
    `curl -s "${api}/api/ami/scale/status?tenantId=DEMO_TENANT" | python3 -m json.tool`,
  ];
}

function publish(api: string, body: object): string[] {
  return [
    `curl -s -X POST ${api}/api/ami/publish-once \\`,
    '  -H "Authorization: Bearer $GRIDLENS_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${JSON.stringify(body)}' | python3 -m json.tool`,
    '',
  ];
}

/** Where a browser on this machine finds an API that listens on every address. */
export function reachableHost(host: string): string {
  if (['0.0.0.0', '::', '127.0.0.1', '::1', ''].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** Host, port and database alone: a URL's query may carry a password too. */
function withoutSecrets(url: string): string {
  // Not by URL, which takes one host.
  const [, protocol = '', hosts = '', path = ''] =
    /^([^:]+:\/\/)(?:[^/?#]*@)?([^/?#]*)([^?#]*)/.exec(url) ?? [];
  return `${protocol}${hosts}${path === '/' ? '' : path}`;
}

/** For a shell, since a folder's name may hold spaces or quotes. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
