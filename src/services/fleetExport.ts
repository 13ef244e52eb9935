import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import { StartupError } from '../contracts/errors.js';
import { type Database, withTransaction } from '../db.js';
import type { RegistryMapping } from '../schema/mapping.js';
import { shownRelation } from '../schema/repairs.js';
import { feederNames, type RegistryRow, registryRows } from '../stores/registryExport.js';
import { feederNameColumn } from '../stores/registryWrite.js';
import { refusedAsSentence } from './fleetRefusal.js';

/**
 * Writes the tenant's meters as a file that a load reads back without changing anything, in one snapshot. A reader that
 * has seen enough (`| head`) ends it.
 *
 * @param open called when there is something to write.
 * @returns how many meters were written.
 * @throws StartupError when the tenant has none.
 */
export async function exportFleet(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
  open: () => NodeJS.WritableStream,
): Promise<number> {
  let count = 0;
  await withTransaction(database, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const rows = registryRows(client, registry, tenantId);
    const { names, first } = await refusedAsSentence(registry.meters.table, async () => ({
      names: await feederNames(client, registry, tenantId),
      first: await rows.next(),
    }));
    if (first.done) {
      const table = shownRelation(registry.meters.table);
      throw new StartupError(`Tenant ${tenantId} has no meters in ${table}: there is nothing to export.`);
    }
    const lines = async function* (): AsyncGenerator<string[]> {
      yield header(registry);
      for (let next: IteratorResult<RegistryRow> = first; !next.done; next = await rows.next()) {
        count += 1;
        yield values(next.value, registry, names);
      }
    };
    const output = open();
    // A load drops blanks around a value that is not in quotes.
    const csv = stringify({ quoted_match: /^\s|\s$/ });
    await pipeline(lines, csv, output, { end: output !== process.stdout }).catch(unlessClosed);
  });
  return count;
}

/** The same into a file, which is there in full or as it was. */
export async function exportFleetFile(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
  path: string,
): Promise<number> {
  const temporary = `${path}.${process.pid}.unfinished`;
  try {
    const count = await exportFleet(database, registry, tenantId, () =>
      createWriteStream(temporary, { flags: 'wx', flush: true }),
    );
    await rename(temporary, path);
    return count;
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    const ofFile = ['open', 'write', 'rename', 'close', 'fsync'].includes(syscall ?? '');
    throw ofFile ? new StartupError(`${path} cannot be written: ${message}.`, { cause: error }) : error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function header(registry: RegistryMapping): string[] {
  return columns(registry, 'meter_id', 'feeder_id', 'feeder_name', 'is_active');
}

function values(row: RegistryRow, registry: RegistryMapping, names: ReadonlyMap<string, string>): string[] {
  const feeder = row.feederId ?? '';
  return columns(registry, row.meterId, feeder, names.get(feeder) ?? '', String(row.isActive));
}

/** Without the columns that the registry has no place for: a load would refuse them. */
function columns(
  registry: RegistryMapping,
  meterId: string,
  feederId: string,
  feederName: string,
  isActive: string,
): string[] {
  return [
    meterId,
    feederId,
    ...(feederNameColumn(registry) === null ? [] : [feederName]),
    ...(registry.meters.isActive === null ? [] : [isActive]),
  ];
}

function unlessClosed(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
}
