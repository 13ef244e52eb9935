import type { MappedColumn } from '../mapping.js';
import { type CatalogRelation, normalised } from './catalog.js';
import { columnByName } from './columns.js';
import { EXPORT_NAMES, FED_IN_NAMES, RECEIVED_NAMES } from './knownNames.js';

/**
 * The column of what customers feed into the grid, kWh per interval. *Received* is the utility's word for it and the
 * customer's for its opposite: it counts beside a registered energy that is called *delivered*, which is the utility's
 * word too. *Export* counts beside *import* alike.
 *
 * @param kwh the column of the registered energy.
 * @returns undefined where no name tells.
 */
export function receivedColumn(
  table: CatalogRelation,
  taken: ReadonlySet<string>,
  kwh: MappedColumn | undefined,
): MappedColumn | undefined {
  const registered = normalised(kwh?.name ?? '');
  const names = [
    ...FED_IN_NAMES,
    ...(registered.includes('delivered') ? RECEIVED_NAMES : []),
    ...(registered.includes('import') ? EXPORT_NAMES : []),
  ];
  const columns = table.columns.filter(({ isGenerated }) => !isGenerated);
  const found = columnByName({ columns }, { names, kinds: ['numeric'], taken });
  return found && { ...found, source: 'known name' };
}
