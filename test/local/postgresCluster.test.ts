import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCluster, temporaryCluster } from '../../src/local/postgres/postgresCluster.js';
import { postmasterOf, prepare, query, start } from './fixtures/clusters.js';
import { clusterTemplate } from './fixtures/clusterTemplate.js';
import { eventually, isGone, temporaryFolder } from './fixtures/processes.js';

const dataDirWithCluster = clusterTemplate();

describe('embedded Postgres', { concurrent: true }, () => {
  it('keeps its data, port and password over a restart', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const first = await start(test, dataDir, 0);
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await first.isRunning()).toBe(false);
    await first.stop();

    const second = await start(test, dataDir);
    expect(second).toMatchObject({
      adopted: false,
      port: first.port,
      systemIdentifier: first.systemIdentifier,
    });
    expect(await query(second, 'SELECT answer FROM kept')).toEqual([42]);
    expect(await readFile(join(dataDir, 'database-url'), 'utf8')).toBe(`${second.connectionString}\n`);
    for (const secret of ['database-url', 'postgres-password', 'postgres.log']) {
      expect((await stat(join(dataDir, secret))).mode & 0o777).toBe(0o600);
    }
  });

  it('is set up as the product needs it, and knows nothing of our environment', async (test) => {
    process.env.GRIDLENS_TEST_SECRET = 'must-not-leak';
    const cluster = await start(test, await dataDirWithCluster(test), 0);
    const facts = `SELECT current_setting('server_encoding'), current_setting('listen_addresses'),
      current_setting('unix_socket_directories'), current_setting('max_connections'), current_setting('fsync'),
      (SELECT datlocale FROM pg_database WHERE datname = 'gridlens')`;
    expect(await query(cluster, facts)).toEqual(['UTF8', '127.0.0.1', '', '200', 'off', 'C.UTF-8']);
    if (process.platform !== 'linux') return;
    const environment = await readFile(`/proc/${await postmasterOf(cluster)}/environ`, 'utf8');
    expect(environment).not.toContain('must-not-leak');
  });

  it('adopts the Postgres that runs already', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const first = await start(test, dataDir, 0);
    const second = await start(test, dataDir);
    expect(second).toMatchObject({ adopted: true, connectionString: first.connectionString });
  });

  it('comes back after kill -9 of the postmaster in the middle of an endless query', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const first = await start(test, dataDir, 0);
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const busy = query(first, 'DO $$ BEGIN LOOP END LOOP; END $$').catch(() => 'cut off');
    await eventually('the long query', async () => (await first.clients()) === 1);
    process.kill(await postmasterOf(first), 'SIGKILL');
    await eventually('its end', async () => !(await first.isRunning()));

    const second = await start(test, dataDir);
    expect(await query(second, 'SELECT answer FROM kept')).toEqual([42]);
    expect(await busy).toBe('cut off');
  });

  it('takes another port when the one of last time is taken', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const first = await start(test, dataDir, 0);
    await first.stop();
    const squatter = await new Promise<Server>((resolve) => {
      const server = createServer().listen(first.port, '127.0.0.1', () => resolve(server));
    });
    test.onTestFinished(() => void squatter.close());
    const second = await start(test, dataDir);
    expect(second.port).not.toBe(first.port);
    expect(await query(second, 'SELECT 1')).toEqual([1]);
  });

  it('survives two starts at once: one cluster, one postmaster', async (test) => {
    const dataDir = await temporaryFolder(test);
    const [one, other] = await Promise.all([start(test, dataDir, 0), start(test, dataDir, 0)]);
    expect(one.connectionString).toBe(other.connectionString);
    expect((await readdir(dataDir)).sort()).toEqual([
      'database-url',
      'postgres',
      'postgres-password',
      'postgres.log',
    ]);
  });

  it('is not misled by a postmaster.pid whose number is a stranger now', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const { dataFolder } = await prepare(dataDir);
    const lines = [process.pid, dataFolder, 1_700_000_000, 54_329, '', '127.0.0.1', '', 'ready', ''];
    await writeFile(join(dataFolder, 'postmaster.pid'), lines.join('\n'));
    const cluster = await start(test, dataDir, 0);
    expect(cluster.adopted).toBe(false);
    expect(await query(cluster, 'SELECT 1')).toEqual([1]);
  });

  it('sets its password anew when the file is lost, whether it runs or not', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const first = await start(test, dataDir, 0);
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await rm(join(dataDir, 'postgres-password'));
    const second = await start(test, dataDir);
    expect(second.connectionString).not.toBe(first.connectionString);
    await second.stop();
    await rm(join(dataDir, 'postgres-password'));
    expect(await query(await start(test, dataDir), 'SELECT answer FROM kept')).toEqual([42]);
  });

  it('stops even when somebody has deleted its folder', async (test) => {
    const dataDir = await dataDirWithCluster(test);
    const cluster = await start(test, dataDir, 0);
    const pid = await postmasterOf(cluster);
    await rm(dataDir, { recursive: true, maxRetries: 10 });
    await cluster.stop();
    expect(await isGone(pid)).toBe(true);
  });

  it('gives the reason of a Postgres that does not start', async (test) => {
    const prepared = await prepare(await dataDirWithCluster(test));
    const starting = startCluster(prepared, { port: 0, settings: { max_connections: 'many' } });
    await expect(starting).rejects.toThrow(
      /^Postgres did not start: invalid value for parameter "max_connections": "many" \(see .*postgres\.log\)\.$/,
    );
  });

  it('makes temporary clusters that leave no trace', async () => {
    const cluster = await temporaryCluster({ work_mem: '8MB' });
    expect(await query(cluster, 'SHOW work_mem')).toEqual(['8MB']);
    const pid = await postmasterOf(cluster);
    await cluster.remove();
    expect(await isGone(pid)).toBe(true);
    await expect(stat(cluster.dataFolder)).rejects.toThrow('ENOENT');
  });
});
