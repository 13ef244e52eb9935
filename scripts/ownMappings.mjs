/**
 * Source maps without the mappings of packages. Node reads the maps of all that it loads: with the packages in them the API
 * took 25 MB more memory than without maps.
 *
 * Written here, since a production install has no library that reads maps, and each `npm ci` compiles.
 */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** The numbers of one segment, base 64 VLQ: five bits a digit, lowest first, and the sign in the lowest of all. */
function decode(segment) {
  const numbers = [];
  let shift = 0;
  let number = 0;
  for (const digit of segment) {
    const value = VALUES.get(digit);
    number += (value & 31) << shift;
    shift += 5;
    if (value & 32) continue;
    numbers.push(number & 1 ? -(number >> 1) : number >> 1);
    shift = 0;
    number = 0;
  }
  return numbers;
}

function encode(numbers) {
  let text = '';
  for (const number of numbers) {
    let rest = number < 0 ? (-number << 1) | 1 : number << 1;
    do {
      text += DIGITS[(rest & 31) | (rest > 31 ? 32 : 0)];
      rest >>= 5;
    } while (rest > 0);
  }
  return text;
}

/**
 * The text of a source map (version 3) with only the sources for which `isOwn` is true. What stands where another source
 * stood has no source.
 */
export function ownMappings(text, isOwn) {
  const map = JSON.parse(text);
  const kept = map.sources.map(isOwn);
  const places = kept.map((_, index) => kept.slice(0, index).filter(Boolean).length);
  const read = [0, 0, 0, 0, 0];
  const written = [0, 0, 0, 0, 0];
  // Columns begin again with each line; the other numbers go on.
  const lines = map.mappings.split(';').map((line) => {
    read[0] = 0;
    written[0] = 0;
    let within = false;
    const segments = [];
    for (const segment of line === '' ? [] : line.split(',')) {
      const deltas = decode(segment);
      for (const [index, delta] of deltas.entries()) read[index] += delta;
      const own = deltas.length > 1 && kept[read[1]];
      if (!own && !within) continue;
      within = own;
      const now = [read[0], places[read[1]], read[2], read[3]].slice(0, own ? 4 : 1);
      segments.push(encode(now.map((value, index) => value - written[index])));
      for (const [index, value] of now.entries()) written[index] = value;
    }
    return segments.join(',');
  });
  return JSON.stringify({
    version: 3,
    sources: map.sources.filter((_, index) => kept[index]),
    mappings: lines.join(';'),
    names: [],
  });
}
