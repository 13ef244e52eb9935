import { toCell } from './formulaCells.js';

const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/** A text as a cell: no spreadsheet takes it for a formula, and a reader has it back with its blanks and line breaks. */
export function textCell(text: string): string {
  const cell = toCell(text);
  return NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const MS_DIGITS = 1_000;

/** An instant in UTC with all the digits that it has: `2026-01-31T10:15:00Z`, `…:00.000250Z`. */
export function instantCell(us: number): string {
  const ms = Math.floor(us / MS_DIGITS);
  const within = us - ms * MS_DIGITS;
  const iso = new Date(ms).toISOString();
  if (within > 0) return `${iso.slice(0, -1)}${String(within).padStart(3, '0')}Z`;
  return ms % 1_000 === 0 ? `${iso.slice(0, 19)}Z` : iso;
}
