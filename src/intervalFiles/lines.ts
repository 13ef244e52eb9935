import { type FileText, UnreadableFileError } from './intervalFiles.js';

/** The longest line of a file that a meter's day needs is some 4,000 characters: 288 values. */
export const LONGEST_LINE = 1_000_000;

export interface Line {
  text: string;
  /** From 1. */
  number: number;
  /** Of the last line of a text that does not end with a line end: it may have been cut off. */
  isUnended?: true;
}

/**
 * The lines of a text, whether they end with LF or CRLF, with or without a byte order mark.
 *
 * @yields the lines of each piece of the text.
 * @throws UnreadableFileError for a line of more than a million characters: no such file has one, and it would have to be
 * held whole.
 */
export async function* linesOf(text: FileText): AsyncGenerator<Line[]> {
  let rest = '';
  let number = 0;
  const lineOf = (line: string): Line => {
    number += 1;
    return { text: line.endsWith('\r') ? line.slice(0, -1) : line, number };
  };
  let isFirst = true;
  for await (const piece of text) {
    const pieces = (rest + (isFirst ? piece.replace(/^\uFEFF/, '') : piece)).split('\n');
    isFirst = false;
    rest = pieces.pop() as string;
    if (rest.length > LONGEST_LINE)
      throw new UnreadableFileError(number + 1, `the line has more than ${LONGEST_LINE} characters`);
    yield pieces.map(lineOf);
  }
  if (rest !== '') yield [{ ...lineOf(rest), isUnended: true }];
}
