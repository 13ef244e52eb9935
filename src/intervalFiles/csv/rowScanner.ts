import { UnreadableFileError } from '../intervalFiles.js';
import { LONGEST_LINE } from '../lines.js';
import { splitLine } from './splitLine.js';

/** A row's fields; undefined where its quotes do not match. They are only good until the next row. */
export type OnRow = (fields: readonly string[] | undefined, line: number, isUnended: boolean) => void;

const CARRIAGE_RETURN = 13;

/**
 * Cuts a text into rows, in one go over each piece: lines as strings of their own cost as much again as their fields.
 * Empty lines are no rows.
 */
export class RowScanner {
  #rest = '';
  #line = 0;
  #isFirst = true;
  readonly #fields: string[] = [];

  constructor(
    private readonly delimiter: string,
    private readonly onRow: OnRow,
    /** Whether a field in quotes may have line breaks. Else a quote too many refuses its line and not all that follow. */
    private readonly hasLongFields = false,
  ) {}

  /** @throws UnreadableFileError for a line of more than a million characters. */
  write(piece: string): void {
    const text = this.#rest + (this.#isFirst ? piece.replace(/^\uFEFF/, '') : piece);
    this.#isFirst = false;
    const last = text.lastIndexOf('\n');
    const hasQuotes = text.includes('"');
    let from = 0;
    while (from <= last) {
      const end = this.#endOfRow(text, from, hasQuotes);
      if (end < 0) break;
      this.#line += 1;
      const isCrLf = end > from && text.charCodeAt(end - 1) === CARRIAGE_RETURN;
      this.#row(text, from, isCrLf ? end - 1 : end, hasQuotes, false);
      if (this.hasLongFields) this.#line += text.slice(from, end).split('\n').length - 1;
      from = end + 1;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > LONGEST_LINE)
      throw new UnreadableFileError(this.#line + 1, `the line has more than ${LONGEST_LINE} characters`);
  }

  /** Where the row's line ends; below 0 where that is not in the text. */
  #endOfRow(text: string, from: number, hasQuotes: boolean): number {
    if (!hasQuotes || !this.hasLongFields) return text.indexOf('\n', from);
    for (let at = from; ; ) {
      const end = text.indexOf('\n', at);
      const quote = text.indexOf('"', at);
      if (end < 0 || quote < 0 || quote > end) return end;
      const closing = text.indexOf('"', quote + 1);
      if (closing < 0) return -1;
      at = closing + 1;
    }
  }

  end(): void {
    const text = this.#rest;
    this.#rest = '';
    if (text === '') return;
    this.#line += 1;
    this.#row(text, 0, text.endsWith('\r') ? text.length - 1 : text.length, text.includes('"'), true);
  }

  #row(text: string, from: number, end: number, hasQuotes: boolean, isUnended: boolean): void {
    if (end === from) return;
    const fields = hasQuotes
      ? splitLine(text.slice(from, end), this.delimiter)
      : this.#split(text, from, end);
    this.onRow(fields, this.#line, isUnended);
  }

  #split(text: string, start: number, end: number): readonly string[] {
    const fields = this.#fields;
    fields.length = 0;
    let from = start;
    for (;;) {
      const at = text.indexOf(this.delimiter, from);
      if (at < 0 || at >= end) break;
      fields.push(text.slice(from, at));
      from = at + 1;
    }
    fields.push(text.slice(from, end));
    return fields;
  }
}
