/**
 * Cells that a spreadsheet would take for formulas. A meter may be called `=HYPERLINK(…)`, and whoever opens the export would
 * run it; so an apostrophe goes before it, with which a spreadsheet shows a cell as text.
 *
 * A value that looks as if it had been marked gets one more, so that every value is read back as it was.
 */

/** What begins a formula, full-width as some locales type it, behind blanks and apostrophes. Blanks include tab and CR. */
const FORMULA = /^[\s']*[=+\-@＝＋－＠]/u;
const MARKED = /^'[\s']*[=+\-@＝＋－＠]/u;

/** The value as it is written to a file. */
export function toCell(value: string): string {
  return FORMULA.test(value) ? `'${value}` : value;
}

/** The value that a cell of a file means. */
export function fromCell(cell: string): string {
  return MARKED.test(cell) ? cell.slice(1) : cell;
}
