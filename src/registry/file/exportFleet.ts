import { randomBytes } from 'node:crypto';
import { createWriteStream, rmSync, type Stats } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import { StartupError } from '../../contracts/errors.js';
import { type Database, withTransaction } from '../../db/db.js';
import { toCell } from '../../intervalFiles/csv/formulaCells.js';
import { shownRelation } from '../../schema/identifiers.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import { fleetRules } from './columnRules.js';
import { feederNames, type RegistryRow, registryRows } from './exportRows.js';
import { fitOf } from './fleetRows.js';
import type { FleetRules } from './fleetValues.js';
import { refusedAsSentence } from './refusals.js';
import { feederNameColumn } from './writeRows.js';

export interface FleetExported {
  /** Meters written. */
  count: number;
  /** Meters left out because a load would refuse their id or their feeder's, which is empty or has a line break. */
  leftOut: number;
  /** Feeders written without their name, for the same reason. */
  unnamed: number;
}

/**
 * Writes the tenant's meters as a file that a load reads back without changing anything, in one snapshot. No cell of it is
 * a formula to a spreadsheet. A reader that has seen enough (`| head`) ends it.
 *
 * @param begin called when there is something to write.
 * @param name of the output, for a sentence.
 * @throws StartupError when the tenant has none, or the output takes no more.
 */
export async function exportFleet(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
  begin: () => NodeJS.WritableStream | Promise<NodeJS.WritableStream>,
  name = 'stdout',
): Promise<FleetExported> {
  const exported: FleetExported = { count: 0, leftOut: 0, unnamed: 0 };
  await withTransaction(database, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const rules = fleetRules(registry);
    const rows = loadable(registryRows(client, registry, tenantId), rules, exported);
    const { names, first } = await refusedAsSentence(registry.meters.table, async () => ({
      names: withoutUnfit(await feederNames(client, registry, tenantId), rules, exported),
      first: await rows.next(),
    }));
    if (first.done) {
      const table = shownRelation(registry.meters.table);
      const none = exported.leftOut > 0 ? 'no meters with an id that a load takes' : 'no meters';
      throw new StartupError(`Tenant ${tenantId} has ${none} in ${table}: there is nothing to export.`);
    }
    let unread: unknown;
    const lines = async function* (): AsyncGenerator<string[]> {
      yield header(registry);
      for (let next: IteratorResult<RegistryRow> = first; !next.done; ) {
        exported.count += 1;
        yield values(next.value, registry, names);
        next = await rows.next().catch((error: unknown) => {
          unread = error;
          throw error;
        });
      }
    };
    // A load drops blanks around a value that is not in quotes.
    const csv = stringify({ quoted_match: /^\s|\s$/ });
    try {
      const output = await begin();
      await pipeline(lines, csv, output, { end: output !== process.stdout });
    } catch (error) {
      // A lost connection to Postgres can have the same error code as a lost output.
      if (unread !== undefined) throw unread;
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw unwritable(name, error);
    }
  });
  return exported;
}

/**
 * The same into a file, which afterwards is complete or as it was before. A symbolic link stays, and its target is
 * replaced; a device or a pipe cannot be replaced and is written to.
 */
export async function exportFleetFile(
  database: Database,
  registry: RegistryMapping,
  tenantId: string,
  path: string,
): Promise<FleetExported> {
  const exportTo = (begin: () => NodeJS.WritableStream | Promise<NodeJS.WritableStream>) =>
    exportFleet(database, registry, tenantId, begin, path);
  const { before, target } = await targetOf(path).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  if (before && !before.isFile()) return exportTo(() => createWriteStream(path));
  const temporary = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.unfinished`;
  // An interrupted command leaves by process.exit, which passes `finally` by.
  const removed = (): void => rmSync(temporary, { force: true });
  process.once('exit', removed);
  try {
    const exported = await exportTo(() => createBeside(temporary, before));
    await rename(temporary, target).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    return exported;
  } finally {
    await rm(temporary, { force: true });
    process.off('exit', removed);
  }
}

/** The file that a path leads to through symbolic links; the file need not exist yet. */
async function targetOf(path: string): Promise<{ before: Stats | undefined; target: string }> {
  try {
    const before = await stat(path);
    return { before, target: before.isFile() ? await realpath(path) : path };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const link = await readlink(path).catch(() => undefined);
  if (link === undefined) return { before: undefined, target: path };
  return targetOf(resolve(await realpath(dirname(path)), link));
}

/** A new file that only those may read who may read the file that it will replace. */
async function createBeside(temporary: string, before: Stats | undefined): Promise<NodeJS.WritableStream> {
  const file = await open(temporary, 'wx', before === undefined ? 0o666 : before.mode & 0o600);
  if (before !== undefined) {
    // Only root may give files away.
    await file.chown(before.uid, before.gid).catch(() => undefined);
    await file.chmod(before.mode & 0o777);
  }
  return file.createWriteStream({ flush: true });
}

/** The rows that a load takes; the others are counted. */
async function* loadable(
  rows: AsyncIterable<RegistryRow>,
  rules: FleetRules,
  exported: FleetExported,
): AsyncGenerator<RegistryRow> {
  // Feeders are few, and meters come feeder by feeder.
  let feeder: { id: string | null; fits: boolean } = { id: null, fits: true };
  for await (const row of rows) {
    if (row.feederId !== feeder.id) {
      const fits = row.feederId === null || 'value' in fitOf(rules, 'feeder_id', row.feederId);
      feeder = { id: row.feederId, fits };
    }
    const fits = feeder.fits && row.meterId !== '' && 'value' in fitOf(rules, 'meter_id', row.meterId);
    if (fits) yield row;
    else exported.leftOut += 1;
  }
}

/** Without a name the feeder keeps the one that it has when the file is loaded again. */
function withoutUnfit(
  names: Map<string, string>,
  rules: FleetRules,
  exported: FleetExported,
): Map<string, string> {
  for (const [feeder, name] of names) {
    if ('value' in fitOf(rules, 'feeder_name', name)) continue;
    names.delete(feeder);
    exported.unnamed += 1;
  }
  return names;
}

function header(registry: RegistryMapping): string[] {
  return columns(registry, 'meter_id', 'feeder_id', 'feeder_name', 'is_active');
}

function values(row: RegistryRow, registry: RegistryMapping, names: ReadonlyMap<string, string>): string[] {
  const feeder = row.feederId ?? '';
  const cells = [row.meterId, feeder, names.get(feeder) ?? ''].map(toCell) as [string, string, string];
  return columns(registry, ...cells, String(row.isActive));
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

/** The operating system's reason as a sentence; other errors as they are. */
function unwritable(name: string, error: unknown): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return new StartupError(`${name} cannot be written: ${message}.`, { cause: error });
}
