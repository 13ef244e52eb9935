import type { RawReading } from './rawReading.js';
import { CLOSING, cutTagAt, OPENING } from './withoutReadings.js';

const NAME = String.raw`((?:[\w.-]+:)?)`;
const NEXT_OPENING = new RegExp(OPENING, 'g');
const NEXT_CLOSING = new RegExp(CLOSING, 'g');
/** An element of the reading's own prefix that holds nothing but digits, the blanks behind it too. */
const digits = (name: string): string => `<\\1${name}\\s*>(-?\\d+)</\\1${name}\\s*>\\s*`;
/** The usual reading: nothing but numbers, in the schema's order. The blanks before it are part of the layout. */
const PLAIN = new RegExp(
  [
    `\\s*<${NAME}IntervalReading\\s*>\\s*`,
    `(?:<\\1ReadingQuality\\s*>\\s*${digits('quality')}</\\1ReadingQuality\\s*>\\s*)?`,
    `<\\1timePeriod\\s*>\\s*${digits('duration')}${digits('start')}</\\1timePeriod\\s*>\\s*`,
    `${digits('value')}</\\1IntervalReading\\s*>`,
  ].join(''),
  'y',
);
/** What a document may begin with, and no reading is hidden by. */
const DECLARATION = /^\uFEFF?<\?xml\s[^>]*\?>/;
const LINE_END = /\r\n?|\n/g;
/** A reading that goes on for longer than this is left to the parser before its end has come. */
const LONGEST_READING = 4_000;

/** The parser that has all the rest of the text, and says where it stands. */
export interface Around {
  write(text: string): void;
  /** The line it has come to. */
  readonly line: number;
  /** Whether an IntervalBlock has been opened and nothing in it is open. */
  readonly isInBlock: boolean;
}

/**
 * Takes the usual readings out of a feed before the parser sees them: they are nine tenths of the text, and a regular expression
 * reads one in a fifth of the time. What is taken out is well-formed in itself. From the first comment, CDATA section or
 * instruction in a feed on, which could hide a reading, all is left to the parser.
 */
export class PlainReadings {
  #rest = '';
  #isBegun = false;
  #mayTake = true;

  constructor(
    private readonly around: Around,
    private readonly onReading: (reading: RawReading) => void,
  ) {}

  write(piece: string): void {
    const text = this.#rest + piece;
    this.#rest = '';
    let at = 0;
    while (this.#mayTake) {
      NEXT_OPENING.lastIndex = at;
      const opening = NEXT_OPENING.exec(text);
      if (opening === null) break;
      this.#leave(text.slice(at, opening.index));
      at = opening.index;
      const end = this.#mayTake && this.around.isInBlock ? this.#take(text, at) : at;
      if (end === at) {
        if (this.#isCutOff(text, at)) {
          this.#rest = text.slice(at);
          return;
        }
        this.#leave(text.slice(at, NEXT_OPENING.lastIndex));
        at = NEXT_OPENING.lastIndex;
      } else at = end;
    }
    const left = text.slice(at);
    const cut = cutTagAt(left);
    this.#leave(left.slice(0, cut));
    this.#rest = left.slice(cut);
  }

  /** Leaves what is held back to the parser: the text is over. */
  end(): void {
    this.#leave(this.#rest);
    this.#rest = '';
  }

  #leave(text: string): void {
    if (text === '') return;
    const markup = this.#isBegun ? text : text.replace(DECLARATION, '');
    this.#isBegun = true;
    if (markup.includes('<!') || markup.includes('<?')) this.#mayTake = false;
    this.around.write(text);
  }

  /** @returns where the readings that were taken end; `from` where there was none. */
  #take(text: string, from: number): number {
    let at = from;
    let lines = 0;
    for (;;) {
      PLAIN.lastIndex = at;
      const found = PLAIN.exec(text);
      if (found === null) break;
      const [reading, , quality, duration = '', start = '', value = ''] = found;
      const opened = reading.indexOf('<');
      const line = this.around.line + lines + lineEnds(reading.slice(0, opened));
      this.onReading({ start, duration, value, qualities: quality === undefined ? [] : [quality], line });
      lines += lineEnds(reading);
      at = PLAIN.lastIndex;
    }
    if (lines > 0) this.around.write('\n'.repeat(lines));
    return at;
  }

  #isCutOff(text: string, at: number): boolean {
    NEXT_CLOSING.lastIndex = at;
    return text.length - at < LONGEST_READING && !NEXT_CLOSING.test(text);
  }
}

function lineEnds(text: string): number {
  return text.match(LINE_END)?.length ?? 0;
}
