import type { FileText } from '../intervalFiles.js';

const OPENING = /<(?:[\w.-]+:)?IntervalReading\s*>/;
const CLOSING = /<\/(?:[\w.-]+:)?IntervalReading\s*>/;
/** The longest piece of a tag that may be cut off at the end of a piece of text: a prefix, the name and blanks. */
const LONGEST_TAG = 200;

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
    const cut = rest.lastIndexOf('<');
    const at = cut >= 0 && rest.length - cut < LONGEST_TAG ? cut : rest.length;
    if (!isInReading) kept += rest.slice(0, at);
    rest = rest.slice(at);
    yield kept;
  }
  if (!isInReading) yield rest;
}
