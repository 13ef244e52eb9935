#!/usr/bin/env bash
# edifact: a meter-data message stops at a lower-case letter, and its quantity is a text with a comma.
#
# Guess:    the parser takes the character set from the interchange's first segment (UNB+UNOC), and the decimal mark
#           from UNA, so that QTY+220:123,5 gives the number 123.5.
# Happens:  the parser stays at UNOA, which has capitals only, whatever UNB says: it throws at the "c" of the guide's
#           version 2.4c. With encoding('UNOC') set by hand the message is read. The quantity then is the text "123,5",
#           although UNA names the comma as decimal mark, and Number() of that is NaN.
# Version:  edifact 1.2.12.
# Matters:  MSCONS is how German market parties exchange quarter hours, and UNOC is their character set. A reader tried
#           with an example in capitals and whole numbers fails at the first real interchange.
. "$(dirname "$0")/prelude.sh"

install edifact@1.2.12

program <<'END'
import Parser from 'edifact/parser.js';

const interchange = [
  'UNA:+,? ',
  'UNB+UNOC:3+9900001000001:500+9900002000002:500+261024:1200+1',
  'UNH+1+MSCONS:D:04B:UN:2.4c',
  'QTY+220:123,5',
  'UNT+3+1',
  'UNZ+1+1',
  '',
].join("'");

function quantity(encoding) {
  const parser = new Parser();
  if (encoding) parser.encoding(encoding);
  let segment;
  let last;
  let found;
  parser.on('opensegment', (name) => { segment = name; });
  parser.on('component', (text) => { last = text; });
  parser.on('closesegment', () => { if (segment === 'QTY') found = last; });
  parser.write(interchange);
  parser.end();
  return found;
}

try {
  console.log(`by UNB: ${quantity()}`);
} catch (error) {
  console.log(`by UNB: ${error.message}`);
}
const text = quantity('UNOC');
console.log(`UNOC by hand: ${typeof text} "${text}", as a number ${Number(text)}`);
END

expect <<'END'
by UNB: Invalid character c at position 95
UNOC by hand: string "123,5", as a number NaN
END
