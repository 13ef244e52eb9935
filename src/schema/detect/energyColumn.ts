import type { MappedColumn } from '../mapping.js';
import { type CatalogRelation, normalised } from './catalog.js';
import { columnByName, isUsable, mapped } from './columns.js';
import { CUMULATIVE, DELIVERED_NAMES, KWH_NAMES } from './knownNames.js';
import { noEnergyColumn, wholeKwh } from './refusals.js';

/** Energy that flows the other way, or the difference of the two. */
const OTHER_DIRECTION = /received|export|generat|reverse|net/;

/**
 * The column of what the meter registered in the interval, kWh. `kwh_delivered` is that where it is the only energy, or
 * stands beside energy received: seen from the utility, it delivers; beside another registered energy it is not.
 *
 * @returns the column; why there is none although something looks like it; or undefined where nothing does.
 */
export function energyColumn(
  table: CatalogRelation,
  taken: ReadonlySet<string>,
): MappedColumn | string | undefined {
  const columns = table.columns.filter(({ isGenerated, name }) => !isGenerated && !taken.has(name));
  const numbers = columns.filter((column) => isUsable(column, { names: [], kinds: ['numeric'] }));
  const interval = numbers.filter(({ name }) => !CUMULATIVE.test(normalised(name)));
  const delivered = columnByName({ columns: interval }, { names: DELIVERED_NAMES, kinds: ['numeric'] });
  const other = interval.filter(({ name }) => isEnergy(name) && OTHER_DIRECTION.test(normalised(name)));
  if (delivered && other.length > 0) return { ...delivered, source: 'known name' };

  const named = columnByName({ columns: interval }, { names: KWH_NAMES, kinds: ['numeric'] });
  if (named) return named;
  const unnamed = interval.filter(
    ({ name }) => /kwh/.test(normalised(name)) && !OTHER_DIRECTION.test(normalised(name)),
  );
  const [only] = unnamed;
  if (only && unnamed.length === 1) return mapped(only, 'known name');

  const whole = columns.find(({ name, kind }) => kind === 'integer' && KWH_NAMES.includes(normalised(name)));
  if (whole) return wholeKwh(table, whole);
  const alike = columns.find(({ name }) => isEnergy(name));
  return alike && noEnergyColumn(table, alike);
}

/** Also watt-hours, registers and parts of a day; not reactive energy. */
function isEnergy(name: string): boolean {
  const plain = normalised(name);
  return (
    (/kwh|(^|[^ar])wh$|energy|consumption/.test(plain) ||
      KWH_NAMES.includes(plain) ||
      plain.startsWith('wh')) &&
    !/varh|unit|uom|type|flag|status|source/.test(plain)
  );
}
