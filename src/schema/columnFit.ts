import type { MappedColumn } from './mapping.js';

/** How a column writes a value that is not empty, or what keeps the value out of it. */
export type ColumnFit =
  | { value: string }
  | { misfit: 'not a whole number' | 'out of range' | 'not a UUID' | 'too long' };

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Bits of the integer types; the catalog knows no others. */
const INTEGER_BITS: Record<string, bigint> = { smallint: 16n, integer: 32n, bigint: 64n };

/** Whether a column of ids or names can hold a value, and in which spelling: an id must have one spelling only. */
export function columnFit({ kind, type, baseType }: MappedColumn, value: string): ColumnFit {
  if (kind === 'integer') return integerFit(baseType, value);
  if (kind === 'numeric') return wholeFit(value);
  if (kind === 'uuid') return UUID.test(value) ? { value: value.toLowerCase() } : { misfit: 'not a UUID' };
  const length = Number(/\((\d+)\)$/.exec(type)?.[1] ?? Number.POSITIVE_INFINITY);
  // Postgres counts characters; counting them costs more than counting code units, of which there are no fewer.
  return value.length <= length || [...value].length <= length ? { value } : { misfit: 'too long' };
}

function integerFit(type: string, value: string): ColumnFit {
  const fit = wholeFit(value);
  if ('misfit' in fit) return fit;
  const limit = 1n << ((INTEGER_BITS[type] ?? 64n) - 1n);
  const number = BigInt(fit.value);
  return number >= -limit && number < limit ? fit : { misfit: 'out of range' };
}

/** `007`, as spreadsheets may pad it, is 7. */
function wholeFit(value: string): ColumnFit {
  if (!/^-?\d+(\.0+)?$/.test(value)) return { misfit: 'not a whole number' };
  return { value: String(BigInt(value.replace(/\..*/, ''))) };
}
