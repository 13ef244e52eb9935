import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createExportService } from '../../src/exports/service.js';
import { readBack } from '../intervalFiles/outgoing.js';
import { API_KEY, BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const DAY = 'tenantId=T&from=2026-03-01&to=2026-03-01';

describe('GET /api/ami/exports', () => {
  let deployment: Deployment;
  let server: Server;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    const { pool } = deployment.database;
    await pool.query(`SELECT ami_ensure_read_partition('2026-03-01')`);
    await pool.query(`INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
      SELECT 'T', 'M-' || n, 'F' || n % 2, at, n FROM generate_series(1, 1500) AS n,
        generate_series('2026-03-01T00:00Z'::timestamptz, '2026-03-01T23:59Z', '15 min') AS at`);
    server = createServer(deployment.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    (server as unknown as { closeAllConnections(): void }).closeAllConnections();
    server.close();
    await deployment.close();
  });

  const url = (query: string) =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/ami/exports?${query}`;
  const ask = async (query: string): Promise<IncomingMessage> => {
    const [response] = await once(get(url(query), { headers: BEARER }), 'response');
    return response as IncomingMessage;
  };
  const whole = async (response: IncomingMessage): Promise<string> => {
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += piece;
    return text;
  };

  it.each([
    ['csv', 'text/csv; charset=utf-8', 'T_2026-03-01_2026-03-01.csv'],
    ['csv-wide', 'text/csv; charset=utf-8', 'T_2026-03-01_2026-03-01.csv'],
    ['green-button', 'application/atom+xml; charset=utf-8', 'T_2026-03-01_2026-03-01.xml'],
  ])('sends %s as a file, with what became of the reads behind it', async (format, type, name) => {
    const response = await ask(`${DAY}&format=${format}&meters=M-7,M-9`);
    const { reads, refusals } = await readBack(await whole(response));
    expect([reads.length, refusals]).toEqual([192, []]);
    expect(response.headers).toMatchObject({
      'content-type': type,
      'content-disposition': `attachment; filename="${name}"`,
      'transfer-encoding': 'chunked',
    });
    expect(JSON.parse(response.trailers['gridlens-export'] as string)).toMatchObject({
      reads: 192,
      kwh: '1536',
      left: {},
    });
  });

  it('sends days of NEM time alone as NEM12, and tells what it has left out', async () => {
    const response = await ask(`${DAY}&format=nem12&meters=M-7`);
    expect((await readBack(await whole(response))).reads).toEqual([]);
    expect(JSON.parse(response.trailers['gridlens-export'] as string)).toMatchObject({
      left: { incompleteDay: 56 },
    });
  });

  it('sends a feeder, and a tenant without reads as an empty file', async () => {
    expect((await readBack(await whole(await ask(`${DAY}&format=csv&feederId=F1`)))).reads).toHaveLength(
      72_000,
    );
    const empty = await whole(await ask('tenantId=NOBODY&from=2026-03-01&to=2026-03-01&format=csv'));
    expect(empty.trim().split('\n')).toHaveLength(1);
  });

  it('needs a key, whatever else may be read without one; HEAD sends no file', async () => {
    const { http } = deployment;
    const path = `/api/ami/exports?${DAY}&format=csv`;
    expect((await http.get(path)).status).toBe(401);
    expect((await http.get(path).set({ Authorization: 'Bearer wrong-key-0123456789' })).status).toBe(401);
    expect((await http.get('/api/ami/kpi/quickcheck?tenantId=T')).status).toBe(200);
    const head = await http.head(path).set({ Authorization: `Bearer ${API_KEY}` });
    expect([head.status, head.headers['content-disposition'], head.text]).toEqual([
      ...[200, 'attachment; filename="T_2026-03-01_2026-03-01.csv"', undefined],
    ]);
  });

  it.each([
    [`${DAY}&format=xlsx`, 'format must be one of csv, csv-wide, green-button, nem12, parquet.'],
    [`${DAY}`, 'format must be one of'],
    [`tenantId=T&from=2026-02-30&to=2026-03-01&format=csv`, 'from must be a day, for example "2026-01-31".'],
    [`tenantId=T&from=1999-12-31&to=2026-03-01&format=csv`, 'from must be a day from 2000 to 2099.'],
    [`tenantId=T&from=2025-02-01&to=2026-03-01&format=csv`, 'from must lie within 366 days before to.'],
    [`${DAY}&format=csv&zone=Nowhere`, 'zone must be a time zone'],
    [`${DAY}&format=csv&meters=`, 'meters must be 1 to 1000 meter ids'],
    [`${DAY}&format=csv&meters=M-1&meters=M-2`, 'meters must be 1 to 1000 meter ids'],
    [`${DAY}&format=csv&meters=NONE`, 'tenant T has none of a meter NONE.'],
    [`${DAY}&format=csv&feederId=NONE`, 'tenant T has none of a feeder NONE.'],
    [`${DAY}&format=csv&quality=good`, 'quality must be a list of raw, validated'],
  ])('refuses %s', async (query, sentence) => {
    const { status, body } = await deployment.http.get(`/api/ami/exports?${query}`).set(BEARER);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.error).toContain(sentence);
  });

  it('takes two at once, and stops reading when their callers go', async () => {
    const before = deployment.logLines.length;
    // More than the sockets between hold.
    const [first, second] = [
      await ask(`${DAY}&format=green-button`),
      await ask(`${DAY}&format=green-button`),
    ];
    first.pause();
    second.pause();
    const third = await deployment.http.get(`/api/ami/exports?${DAY}&format=csv`).set(BEARER);
    expect([third.status, third.body.code, third.headers['retry-after']]).toEqual([503, 'busy', '10']);
    first.destroy();
    second.destroy();
    await waitFor('a place for another export', async () => {
      const { status } = await deployment.http.head(`/api/ami/exports?${DAY}&format=csv`).set(BEARER);
      return status === 200;
    });
    const said = deployment.logLines.slice(before).map(({ msg }) => msg);
    expect(said).not.toContain('exported');
    expect(said.filter((msg) => msg === 'export: the caller has gone')).toHaveLength(2);
  });

  it('ends the connection where the database fails in the middle: a part never looks whole', async () => {
    const { pool } = deployment.database;
    // A page of this meter fails; those before it are sent.
    await pool.query(`CREATE OR REPLACE FUNCTION ami_exported_reads(for_tenant text, after_meter text, from_instant timestamptz, until_instant timestamptz)
      RETURNS TABLE (meter_id text, feeder_id text, start_us double precision, kwh text, delivered_kwh text, voltage text, flags text[], written_us double precision, revised_us double precision, received_kwh text, interval_minutes smallint, quality text, quality_method text)
      LANGUAGE plpgsql AS $$ BEGIN
        IF after_meter IS NOT NULL THEN RAISE 'the disk is gone' USING ERRCODE = '58030'; END IF;
        RETURN QUERY SELECT read.meter_id, read.feeder_id, extract(epoch FROM read_at)::double precision * 1000000, read.kwh::text, NULL, NULL, '{}'::text[], NULL::double precision, NULL::double precision, NULL::text, NULL::smallint, NULL::text, NULL::text
          FROM meter_reads_electric read ORDER BY read.meter_id, read_at; END $$`);
    const response = await ask(`${DAY}&format=csv`);
    expect(response.statusCode).toBe(200);
    await expect(whole(response)).rejects.toThrow(/aborted|hang up|reset/i);
    expect(response.trailers).toEqual({});
    expect(deployment.logLines).toContainEqual(
      expect.objectContaining({ msg: 'export ended before it was whole' }),
    );
  });
});

describe('an export that is read slowly', () => {
  it('reads no further ahead than a few pages', async () => {
    const deployment = await createDeployment('postgres');
    try {
      const { pool } = deployment.database;
      await pool.query(`SELECT ami_ensure_read_partition('2026-03-01')`);
      await pool.query(`INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
        SELECT 'T', 'M-' || n, 'F', at, n FROM generate_series(1, 400) AS n,
          generate_series('2026-03-01T00:00Z'::timestamptz, '2026-03-01T23:59Z', '15 min') AS at`);
      let asked = 0;
      const counting = new Proxy(pool, {
        get: (target, name) =>
          name === 'query'
            ? (...args: unknown[]) => {
                if (String(args[0]).includes('ami_exported_reads')) asked += 1;
                return Reflect.apply(target.query, target, args);
              }
            : Reflect.get(target, name),
      });
      const { open } = createExportService(counting, () => new Date());
      const opened = await open({ tenantId: 'T', from: '2026-03-01', to: '2026-03-01', format: 'csv' });
      expect(asked).toBe(1);
      const pieces = opened.pieces[Symbol.asyncIterator]();
      for (let taken = 0; taken < 3; taken += 1) await pieces.next();
      expect(asked).toBe(2);
      await pieces.return?.();
    } finally {
      await deployment.close();
    }
  });
});
