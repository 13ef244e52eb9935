import seedrandom from 'seedrandom';

export type Random = () => number;

export const randomOf = (seed: string): Random => seedrandom(seed);

const LETTERS = '0123456789.,;:-+"<>/ \n\r\tAZaz\u0000é';

/** A text with up to four small damages: letters and lines lost, doubled, changed or put elsewhere, or its end cut off. */
export function mutated(text: string, random: Random): string {
  const times = 1 + Math.floor(random() * 4);
  let result = text;
  for (let time = 0; time < times; time += 1) result = mutatedOnce(result, random);
  return result;
}

function mutatedOnce(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  const letter = LETTERS[Math.floor(random() * LETTERS.length)] as string;
  const lines = text.split('\n');
  const line = Math.floor(random() * lines.length);
  const other = Math.floor(random() * lines.length);
  switch (Math.floor(random() * 9)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + letter + text.slice(at);
    case 2:
      return text.slice(0, at) + letter + text.slice(at + 1);
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(0, at) + text.slice(at + Math.floor(random() * 200));
    case 5:
      return lines.toSpliced(line, 1).join('\n');
    case 6:
      return lines.toSpliced(line, 0, lines[line] as string).join('\n');
    case 7:
      return lines
        .with(line, lines[other] as string)
        .with(other, lines[line] as string)
        .join('\n');
    default:
      return text.slice(0, at) + text.slice(at, at + 100) + text.slice(at);
  }
}
