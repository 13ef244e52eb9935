/** A table as CSV by RFC 4180, as spreadsheets read it: commas, CRLF, quotes doubled. */

export type Cell = string | number | null;

/**
 * @param header names of the columns, with units.
 * @param rows numbers with a decimal point; null is an empty field.
 */
export function toCsv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  // A spreadsheet would run what begins like a formula, and a feeder's id is a stranger's text.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A file's name from what it shows, without what file systems refuse: `loss-DEMO_TENANT-2026-11-28.csv`. */
export function csvName(...parts: readonly string[]): string {
  return `${parts.map((part) => part.replaceAll(/[^\p{L}\p{N}_.-]+/gu, '-')).join('-')}.csv`;
}
