import type { FileText } from '../intervalFiles.js';

/** The tags of an IntervalReading of any prefix. */
export const OPENING = /<(?:[\w.-]+:)?IntervalReading\s*>/;
export const CLOSING = /<\/(?:[\w.-]+:)?IntervalReading\s*>/;
/** The longest piece of a tag that may be cut off at the end of a piece of text: a prefix, the name and blanks. */
const LONGEST_TAG = 200;

/** Where a tag may have been cut off at the end of a text; the text's length where none was. */
export function cutTagAt(text: string): number {
  const tag = text.lastIndexOf('<');
  return tag >= 0 && text.length - tag < LONGEST_TAG ? tag : text.length;
}

/**
 * A feed's text without its readings, which are nine tenths of it: for a look at the other entries alone. It says nothing
 * about whether the text is well-formed; where a reading does not end, nothing follows.
 */
export async function* withoutReadings(text: FileText): AsyncGenerator<string> {
  let rest = '';
  let isInReading = false;
  for await (const piece of text) {
    rest += piece;
    let kept = '';
    for (;;) {
      const found = (isInReading ? CLOSING : OPENING).exec(rest);
      if (found === null) break;
      if (!isInReading) kept += rest.slice(0, found.index);
      rest = rest.slice(found.index + found[0].length);
      isInReading = !isInReading;
    }
    const at = cutTagAt(rest);
    if (!isInReading) kept += rest.slice(0, at);
    rest = rest.slice(at);
    yield kept;
  }
  if (!isInReading) yield rest;
}
