import { fleetColumn, shown } from './fleetValues.js';

/**
 * What stands in files where an id should, and is none. A registry takes every text, so that each of these would become
 * a meter or a feeder, and be published.
 */

/** How databases, spreadsheets and pandas write that there is no value. */
const NO_VALUE =
  /^(null|\(null\)|<null>|\\n|n\/a|#n\/a|nan|none|nil|undefined|#(ref|name|value|null|num|div\/0)[!?])$/i;
/** How reports end: a sum, a count of rows, a mark. */
const FOOTER =
  /^(\(\d+ (rows?|records?|zeilen)\)|\d+ rows? selected\.?|(grand )?total( (meters|rows|records|count))?\s*:?|(end of (file|report|list)|eof)\.?|[-=*]{3,}.*)$/i;
/** Characters that nothing shows: zero-width ones, marks of direction, soft hyphens, a byte order mark in the middle. */
const INVISIBLE = /\p{Cf}/u;
/** Blanks that look like the plain one and are another character. */
const OTHER_BLANK = /[^\S ]/u;

/**
 * Why an id of a file is no id, as the end of a sentence that begins with line and column; undefined where it may be
 * one.
 */
export function notAnId(value: string): string | undefined {
  if (NO_VALUE.test(value))
    return `is ${shown(value)}, which says that there is no value: leave the cell empty`;
  if (FOOTER.test(value))
    return `is ${shown(value)}, which looks like the end of a report: leave the line out`;
  if (fleetColumn(value) !== undefined)
    return `is ${shown(value)}, as in a header that is repeated: leave the line out`;
  if (/^="[^"]*"$/.test(value))
    return `is a formula of a spreadsheet (${shown(value)}): write ${value.slice(2, -1)}`;
  if (/^\d+[.,]0+$/.test(value))
    return `is a number with decimals (${shown(value)}), as spreadsheets and pandas make of an id: write ${value.replace(/[.,]0+$/, '')}`;
  if (INVISIBLE.test(value)) return `has an invisible character (${named(value, INVISIBLE)}): take it out`;
  return undefined;
}

/** What an id may be and most probably is not, as the end of a sentence; such an id is taken as it stands. */
export function doubtfulId(value: string): string | undefined {
  if (/^'\d/.test(value))
    return `is ${shown(value)}: the apostrophe, by which spreadsheets mark a text, is part of the id now`;
  if (OTHER_BLANK.test(value))
    return `has a blank that is not the plain one (${named(value, OTHER_BLANK)}), which is part of the id now`;
  if (/^[-–—.?*]+$/.test(value))
    return `is ${shown(value)}, which is an id now and may have meant that there is no value`;
  return undefined;
}

/** The first such character, as U+200B. */
function named(value: string, what: RegExp): string {
  const code = what.exec(value)?.[0].codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
