import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExactSum } from '../../src/intervalFiles/decimal.js';
import type { FileCounts, OutgoingRead, Piece } from '../../src/intervalFiles/outgoing.js';
import { parquetWriter } from '../../src/intervalFiles/parquet/writeParquet.js';
import { outgoing, series, US } from './outgoing.js';

const SAMPLE_NAMES = ['a"b', '=1', ' x ', 'two\nlines', '计量', ''];

describe('Parquet, by DuckDB', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridlens-parquet-'));
  const path = join(folder, 'reads.parquet');
  let duck: DuckDBConnection;
  beforeAll(async () => {
    duck = await (await DuckDBInstance.create()).connect();
    // Instants are to be what they are, whatever the session's zone.
    await duck.run(`SET TimeZone = 'America/St_Johns'`);
  });
  afterAll(() => {
    duck.disconnectSync();
    rmSync(folder, { recursive: true });
  });

  /** @param pages of meters, as an export hands them over. */
  const write = (pages: readonly OutgoingRead[][][]): FileCounts & { largestPiece: number } => {
    const writer = parquetWriter();
    const pieces: Piece[] = [writer.begin(), ...pages.map((page) => writer.take(page)), writer.end()];
    writeFileSync(path, Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array))));
    return { ...writer.tally.counts(), largestPiece: Math.max(...pieces.map(({ length }) => length)) };
  };
  const rows = async (sql: string) =>
    (await duck.runAndReadAll(sql.replaceAll('READS', `read_parquet('${path}')`))).getRowObjectsJson();

  it('has every column with its type, also in a file without rows', async () => {
    write([]);
    const columns = await rows('DESCRIBE SELECT * FROM READS');
    expect(Object.fromEntries(columns.map((column) => [column.column_name, column.column_type]))).toEqual({
      ...{ meter_id: 'VARCHAR', feeder_id: 'VARCHAR', interval_start: 'TIMESTAMP WITH TIME ZONE' },
      ...{ interval_minutes: 'INTEGER', kwh: 'DECIMAL(38,18)', received_kwh: 'DECIMAL(38,18)' },
      ...{ delivered_kwh: 'DECIMAL(38,18)', voltage: 'DECIMAL(38,18)', quality: 'VARCHAR' },
      ...{ quality_method: 'VARCHAR', flags: 'VARCHAR' },
      ...{ written_at: 'TIMESTAMP WITH TIME ZONE', revised_at: 'TIMESTAMP WITH TIME ZONE' },
    });
    expect(await rows('SELECT count(*) AS n FROM READS')).toEqual([{ n: '0' }]);
  });

  it('has the same reads and the same sum, over row groups, with memory for one of them', async () => {
    const pages = Array.from({ length: 13 }, (_, page) => [
      series('2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z', {
        meterId: `M-${page}`,
        feederId: `F${page % 2}`,
      }).map((read, place) => ({ ...read, kwh: `${(place * 7919) % 977}.${place}${page}` })),
      series('2026-03-01T00:00:00Z', '2026-03-30T00:00:00Z', { meterId: `N-${page}`, kwh: '0.3' }),
    ]);
    const { reads, kwh, left } = write(pages);
    const exact = new ExactSum();
    for (const read of pages.flat(2)) exact.add(read.kwh as string);
    const [sums] = await rows(
      'SELECT count(*) AS n, sum(kwh)::varchar AS kwh, count(DISTINCT meter_id) AS meters FROM READS',
    );
    expect([sums?.n, sums?.meters, left]).toEqual([String(reads), '26', {}]);
    expect(String(sums?.kwh).replace(/0+$/, '')).toBe(exact.toString());
    expect(kwh).toBe(exact.toString());
    const groups = await rows(
      `SELECT max(row_group_num_rows) AS most, count(DISTINCT row_group_id) AS groups FROM parquet_metadata('${path}')`,
    );
    expect(groups).toEqual([{ most: '20000', groups: '6' }]);
    expect(
      await rows(
        `SELECT count(*) AS n FROM READS WHERE meter_id = 'M-7' AND interval_start >= '2026-04-01T00:00:00Z'`,
      ),
    ).toEqual([{ n: '2880' }]);
  });

  it('keeps microseconds, names, negative and large values, nulls and what stands beside', async () => {
    const startUs = Date.parse('2026-11-01T05:30:00Z') * US + 250;
    const odd = [
      outgoing({
        ...{
          startUs,
          kwh: '-0.000000000000000001',
          receivedKwh: '12345678901.5',
          deliveredKwh: '0.1300',
          voltage: '-1e-3',
        },
        ...{
          flags: ['LOW_VOLTAGE', 'X'],
          quality: { kind: 'estimated', method: 'S14' } as const,
          minutes: 5,
        },
        ...{ writtenUs: startUs + 1, revisedUs: null },
      }),
      outgoing({ kwh: null, receivedKwh: '0', writtenUs: null }),
    ];
    write([[odd, ...SAMPLE_NAMES.map((meterId) => [outgoing({ meterId })])]]);
    const found =
      await rows(`SELECT epoch_us(interval_start) AS start, interval_minutes, kwh::varchar AS kwh, received_kwh::varchar AS received,
      delivered_kwh::double AS delivered, voltage::double AS voltage, flags, quality, quality_method, epoch_us(written_at) AS written, revised_at IS NULL AS unrevised FROM READS`);
    expect(found[0]).toEqual({
      ...{
        start: String(startUs),
        interval_minutes: 5,
        kwh: '-0.000000000000000001',
        received: '12345678901.500000000000000000',
      },
      ...{
        delivered: 0.13,
        voltage: -0.001,
        flags: 'LOW_VOLTAGE X',
        quality: 'estimated',
        quality_method: 'S14',
      },
      ...{ written: String(startUs + 1), unrevised: true },
    });
    expect(found[1]).toMatchObject({ kwh: null, received: '0.000000000000000000', written: null });
    expect((await rows('SELECT meter_id FROM READS OFFSET 2')).map(({ meter_id: name }) => name)).toEqual(
      SAMPLE_NAMES,
    );
    expect(await rows('SELECT count(*) AS n FROM READS WHERE kwh < 0')).toEqual([{ n: '1' }]);
    expect(await rows('SELECT count(*) AS n FROM READS WHERE kwh > 0.1')).toEqual([{ n: '6' }]);
  });

  it('keeps the energy of each hour on days of 92 and 100 quarter hours', async () => {
    for (const [from, to, count] of [
      ['2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', 92],
      ['2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 100],
    ] as const) {
      const day = series(from, to);
      expect(day).toHaveLength(count);
      write([[day]]);
      const found = await rows(
        `SELECT epoch_us(time_bucket(INTERVAL 1 HOUR, interval_start, TIMESTAMPTZ '2000-01-01T00:00:00Z')) AS hour, sum(kwh)::double AS kwh FROM READS GROUP BY 1 ORDER BY 1`,
      );
      const hours = new Map<number, number>();
      for (const { startUs, kwh } of day) {
        const hour = Math.floor(startUs / 3.6e9) * 3.6e9;
        hours.set(hour, (hours.get(hour) ?? 0) + Math.round(Number(kwh) * 10_000));
      }
      expect(found.map(({ hour, kwh }) => [Number(hour), Math.round(Number(kwh) * 10_000)])).toEqual([
        ...hours,
      ]);
    }
  });

  it('counts what is no number or does not fit; what stands beside is null then, and counted', async () => {
    const counts = write([
      [
        ['NaN', 'Infinity', null, '1e25', `0.${'1'.repeat(19)}`, '1'].map((kwh) => outgoing({ kwh })),
        [outgoing({ deliveredKwh: 'NaN', voltage: '1e30' })],
      ],
    ]);
    expect(counts).toMatchObject({
      reads: 2,
      left: { noEnergy: 3, digits: 2 },
      notCarried: { deliveredKwh: 1, voltage: 1 },
    });
    expect(await rows('SELECT count(*) AS n, count(voltage) AS volts FROM READS')).toEqual([
      { n: '2', volts: '0' },
    ]);
  });
});
