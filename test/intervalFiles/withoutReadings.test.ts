import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutReadings } from '../../src/intervalFiles/espi/withoutReadings.js';
import { inPieces } from './totals.js';

async function left(text: string, size: number): Promise<string> {
  let result = '';
  for await (const piece of withoutReadings(inPieces(text, size))) result += piece;
  return result;
}

const READING =
  '<e:IntervalReading><e:timePeriod><e:start>1</e:start></e:timePeriod><e:value>5</e:value></e:IntervalReading>';

describe('a feed without its readings', () => {
  it('keeps all else, however the text is cut into pieces', async () => {
    const parts = fc.constantFrom(
      READING,
      READING.replaceAll('e:', ''),
      READING.replace('Reading>', 'Reading\n>').replace(/>$/, ' >'),
      '<e:IntervalBlock>',
      '</e:IntervalBlock>',
      'a < b',
      '\n',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(parts, { maxLength: 8 }),
        fc.integer({ min: 1, max: 60 }),
        async (list, size) => {
          const kept = list.filter((part) => !part.includes('Reading')).join('');
          expect(await left(list.join(''), size)).toBe(kept);
        },
      ),
    );
  });

  it('ends where a reading does not', async () => {
    expect(await left(`<a/>${READING}<b/><e:IntervalReading><c/>`, 5)).toBe('<a/><b/>');
  });
});
