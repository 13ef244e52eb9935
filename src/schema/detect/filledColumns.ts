import type { FilledColumn } from '../mapping.js';
import { type CatalogColumn, normalised } from './catalog.js';
import { CREATED_NAMES, isEnd, UPDATED_NAMES } from './knownNames.js';

/**
 * Of a table's columns that carry nothing of ours, those that an insert gives a value all the same: what is about the
 * interval, and what is NOT NULL without a default. `filled` are those whose value follows from the read, `unfilled` the rest.
 *
 * @param referring columns that are part of a foreign key: no value of ours would be found there.
 */
export function filledColumns(
  others: readonly CatalogColumn[],
  referring: readonly string[],
): {
  filled: FilledColumn[];
  unfilled: CatalogColumn[];
} {
  const filled: FilledColumn[] = [];
  const unfilled: CatalogColumn[] = [];
  for (const column of others) {
    if (column.isGenerated) continue;
    const isNeeded = column.notNull && !column.hasDefault;
    const value = referring.includes(column.name) ? undefined : readValue(column);
    // What is about the interval is filled in any case: a default of 60 minutes, or of today, would be wrong.
    if (value && (isNeeded || value.isOfInterval))
      filled.push({ name: column.name, expression: value.expression, what: value.what });
    else if (isNeeded && !value) unfilled.push(column);
  }
  return { filled, unfilled };
}

/** Names, normalised, of what follows from a read's interval. */
const DATE_OF_READ =
  /^(read|reading|interval|usage|service|business|local|measurement|period|trade|settlement)?(date|day|on)$/;
const MINUTES =
  /^(interval|period|duration|read|reading|measurement)?(length|duration|period|size)?(in)?(min|mins|minutes)$/;
const SECONDS =
  /^(interval|period|duration|read|reading|measurement)?(length|duration|period|size)?(in)?(s|sec|secs|seconds)$/;

function readValue({
  name,
  kind,
}: CatalogColumn): (Omit<FilledColumn, 'name'> & { isOfInterval?: boolean }) | undefined {
  const plain = normalised(name);
  const isTime = kind === 'timestamptz' || kind === 'timestamp';
  const at = (instant: string): string =>
    kind === 'timestamp' ? `(${instant}) AT TIME ZONE 'UTC'` : instant;
  // The id of the row: one that named anything else would refer to it.
  if (kind === 'uuid') return { expression: 'gen_random_uuid()', what: 'a random UUID' };
  if ((isTime || kind === 'date') && [...CREATED_NAMES, ...UPDATED_NAMES].includes(plain))
    return { expression: at('now()'), what: 'the time of writing' };
  if (kind === 'date' && DATE_OF_READ.test(plain))
    return {
      expression: `(p_read_at AT TIME ZONE 'UTC')::date`,
      what: 'the UTC day of the interval',
      isOfInterval: true,
    };
  if (isTime && isEnd(name))
    return {
      expression: at(`p_read_at + interval_minutes * interval '1 minute'`),
      what: 'the end of the interval',
      isOfInterval: true,
    };
  if (kind !== 'integer' && kind !== 'numeric') return undefined;
  if (MINUTES.test(plain))
    return { expression: 'interval_minutes', what: 'the minutes of the interval', isOfInterval: true };
  if (SECONDS.test(plain))
    return { expression: 'interval_minutes * 60', what: 'the seconds of the interval', isOfInterval: true };
  return undefined;
}
