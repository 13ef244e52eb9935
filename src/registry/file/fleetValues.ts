/** The columns and the values of a fleet file, each by itself. */

export const FLEET_COLUMNS = ['meter_id', 'feeder_id', 'feeder_name', 'is_active', 'tenant_id'] as const;
export type FleetColumn = (typeof FLEET_COLUMNS)[number];

/** How a value is written in the registry's column, or why it cannot be there. */
export type Fit = { value: string } | { problem: string };

/** What the registry at hand can hold. */
export interface FleetRules {
  fits: Record<'tenant_id' | 'meter_id' | 'feeder_id' | 'feeder_name', (value: string) => Fit>;
  /** Columns that the registry has no place for. */
  withoutPlace: readonly FleetColumn[];
  /** Whether its meters are told apart by tenant. */
  hasTenants: boolean;
}

/** Words of is_active, without case and blanks; the longer ones are those of utilities' lists. Empty says nothing. */
export const FLAGS: ReadonlyMap<string, boolean | null> = new Map([
  ['', null],
  ...words(
    'true t yes y 1 active inservice installed inuse connected energized energised live on'.split(' '),
    true,
  ),
  ...words(
    'false f no n 0 inactive outofservice removed retired disconnected deenergized decommissioned off'.split(
      ' ',
    ),
    false,
  ),
]);

function words(all: readonly string[], isActive: boolean): [string, boolean][] {
  return all.map((word) => [word, isActive]);
}

/** A word of a status as it is compared. */
export function plainWord(value: string): string {
  return value.toLowerCase().replace(/[\s_-]/g, '');
}

/** The name of a column as it is compared: letters and digits alone, without case and accents. */
export function plainName(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Longer ids are taken for a misplaced column; reads and events carry them too. */
const MAX_LENGTH = 128;

/** Why no column of ids or names takes the value, as the end of a sentence; undefined when a column may. */
export function unfitForAnyColumn(value: string): string | undefined {
  // The decoder puts this character where bytes are not UTF-8.
  if (value.includes('\uFFFD'))
    return `has bytes that are not UTF-8 (${shown(value)}): save the file as UTF-8`;
  if (/\p{Cc}/u.test(value)) return `has a line break or another control character: ${shown(value)}`;
  if (value.trim() === '') return 'is nothing but blanks';
  if (value.length > MAX_LENGTH && [...value].length > MAX_LENGTH)
    return `is longer than ${MAX_LENGTH} characters`;
  return undefined;
}

/**
 * Why an id is no longer an id, as the end of a sentence: a spreadsheet shows a long number as 4.71E+12 and saves what
 * it shows, which is the same for many meters.
 */
export function unfitAsId(value: string): string | undefined {
  if (!/^\d([.,]\d+)?E\+\d+$/i.test(value)) return undefined;
  return `is a number that a spreadsheet has rounded (${shown(value)}): format the column as text there, put the ids in again, then save`;
}

/** The column that a name in the header means, whatever its case, blanks and underscores. */
export function fleetColumn(name: string): FleetColumn | undefined {
  const bare = (text: string): string => text.toLowerCase().replace(/[_\s-]/g, '');
  return FLEET_COLUMNS.find((column) => bare(column) === bare(name));
}

/** A value as a sentence quotes it: short, on one line. */
export function shown(value: string): string {
  const short = value.length > 40 ? `${value.slice(0, 40)}…` : value;
  return JSON.stringify(short);
}
