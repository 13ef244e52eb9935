import { basename } from 'node:path';
import { StartupError } from '../../contracts/errors.js';
import type { Database } from '../../db/db.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import { fleetRules } from './columnRules.js';
import { FleetRows } from './fleetRows.js';
import { readFleetFile } from './readFleetFile.js';
import { type FleetCounts, writeFleets } from './writeFleets.js';

export interface FleetLoad {
  file: string;
  /** Undefined: the file's column tenant_id says whose meters they are. */
  tenantId: string | undefined;
  dryRun: boolean;
}

export interface FleetLoaded extends FleetCounts {
  tenantIds: string[];
  /** Lines that say what an earlier one says. */
  repeated: number;
}

/**
 * Brings the registry up to date with a CSV file, all or nothing.
 *
 * @throws StartupError with every bad line of the file (the first twenty, and how many more), or with one sentence about
 * what the tables refuse.
 */
export async function loadFleet(
  database: Database,
  registry: RegistryMapping,
  { file, tenantId, dryRun }: FleetLoad,
): Promise<FleetLoaded> {
  const rows = new FleetRows(fleetRules(registry), tenantId);
  await readFleetFile(file, rows);
  if (rows.problemCount > 0) throw new StartupError(problemsOf(basename(file), rows));
  const fleets = rows.tenants();
  const counts = await writeFleets(database, registry, fleets, { dryRun });
  return { ...counts, tenantIds: fleets.map((fleet) => fleet.tenantId), repeated: rows.repeated };
}

function problemsOf(file: string, { problems, problemCount }: FleetRows): string {
  const count = problemCount === 1 ? 'one error' : `${problemCount.toLocaleString('en-US')} errors`;
  const more = problemCount - problems.length;
  return [
    `${file} was not loaded, and nothing was written, for ${count} in it:`,
    ...problems.map(
      ({ line, column, message }) => `  line ${line}${column === null ? '' : `, ${column}`} ${message}.`,
    ),
    ...(more > 0 ? [`  and ${more.toLocaleString('en-US')} more.`] : []),
  ].join('\n');
}
