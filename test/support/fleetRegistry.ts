import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type pg from 'pg';
import type { ColumnKind, MappedColumn, RegistryMapping } from '../../src/schema/mapping.js';

/** Our own tables of meters and feeders, where start-up has not made them. */
export async function createOwnRegistry(pool: pg.Pool): Promise<void> {
  for (const table of ['feeders', 'meters']) {
    const { rows } = await pool.query('SELECT to_regclass($1) IS NULL AS missing', [`public.${table}`]);
    if (!rows[0].missing) continue;
    await pool.query(await readFile(new URL(`../../sql/schema/${table}.sql`, import.meta.url), 'utf8'));
  }
}

/** A folder of fleet files, gone after the tests. */
export async function fleetFolder(): Promise<{
  path(name: string): string;
  /** Writes a file and returns its path. */
  file(content: string | Buffer, name?: string): Promise<string>;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-fleet-'));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    async file(content, name = 'fleet.csv') {
      await writeFile(path(name), content);
      return path(name);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export function column(name: string, kind: ColumnKind = 'text', type: string = kind): MappedColumn {
  const baseType = type.replace(/\(.*/, '');
  return { name, kind, type, baseType, notNull: false, collation: null, source: 'known name' };
}

/** A customer's tables, in the schema `public`; without `tenantId` where not said. */
export function customerRegistry(
  meters: Partial<RegistryMapping['meters']> & { name: string },
  feeders: (Partial<NonNullable<RegistryMapping['feeders']>> & { name: string }) | null,
): RegistryMapping {
  return {
    meters: {
      table: { schema: 'public', name: meters.name },
      own: false,
      tenantId: meters.tenantId ?? null,
      meterId: meters.meterId ?? column('meter_id'),
      feeder: meters.feeder ?? column('feeder_id'),
      isActive: meters.isActive ?? null,
    },
    feeders: feeders && {
      table: { schema: 'public', name: feeders.name },
      own: false,
      tenantId: feeders.tenantId ?? null,
      key: feeders.key ?? column('id'),
      feederId: feeders.feederId ?? column('code'),
      aliases: feeders.aliases ?? [],
    },
  };
}

/** What an export writes, as one text. */
export async function textOf(write: (open: () => Writable) => Promise<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  await write(
    () =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      }),
  );
  return Buffer.concat(chunks).toString('utf8');
}
