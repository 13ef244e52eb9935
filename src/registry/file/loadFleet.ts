import { basename } from 'node:path';
import { StartupError } from '../../contracts/errors.js';
import type { Database } from '../../db/db.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import { fleetRules } from './columnRules.js';
import type { NamedColumns } from './fleetHeader.js';
import { FleetRows, type LineProblem } from './fleetRows.js';
import { readFleetFile } from './readFleetFile.js';
import type { Retire } from './unnamedMeters.js';
import { type FleetCounts, writeFleets } from './writeFleets.js';

export interface FleetLoad {
  file: string;
  /** Undefined: the file's column tenant_id says whose meters they are. */
  tenantId: string | undefined;
  dryRun: boolean;
  /** What is said of columns that have names of their own. */
  named?: NamedColumns;
  /** What words of is_active mean beside those that are known. */
  statuses?: ReadonlyMap<string, boolean>;
  /** What becomes of meters that the file does not name. */
  retire?: Retire;
}

export interface FleetLoaded extends FleetCounts {
  tenantIds: string[];
  /** Lines that say what an earlier one says. */
  repeated: number;
  /** The columns that were passed over. */
  ignoredColumns: readonly string[];
  /** What was taken and may not be meant so: the first twenty of `warningCount`, a sentence each. */
  warnings: string[];
  warningCount: number;
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
  { file, tenantId, dryRun, named, statuses, retire = 'no' }: FleetLoad,
): Promise<FleetLoaded> {
  const rows = new FleetRows(fleetRules(registry), tenantId, named, statuses);
  await readFleetFile(file, rows);
  if (rows.problemCount > 0) throw new StartupError(problemsOf(basename(file), rows));
  const fleets = rows.tenants();
  const counts = await writeFleets(database, registry, fleets, { dryRun, retire });
  return {
    ...counts,
    tenantIds: fleets.map((fleet) => fleet.tenantId),
    repeated: rows.repeated,
    ignoredColumns: rows.ignored,
    warnings: rows.warnings.map(sentenceOf),
    warningCount: rows.warningCount,
  };
}

function problemsOf(file: string, { problems, problemCount }: FleetRows): string {
  const count = problemCount === 1 ? 'one error' : `${problemCount.toLocaleString('en-US')} errors`;
  const more = problemCount - problems.length;
  return [
    `${file} was not loaded, and nothing was written, for ${count} in it:`,
    ...problems.map((problem) => `  ${sentenceOf(problem)}`),
    ...(more > 0 ? [`  and ${more.toLocaleString('en-US')} more.`] : []),
  ].join('\n');
}

function sentenceOf({ line, column, message }: LineProblem): string {
  return `line ${line}${column === null ? '' : `, ${column}`} ${message}.`;
}
