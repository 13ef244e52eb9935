import { describe, expect, it } from 'vitest';
import { readEspi } from '../../src/intervalFiles/espi/espi.js';
import { inPieces, wholeOf } from './totals.js';

const FEED = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">';
const RESOURCE = '/espi/1_1/resource/UsagePoint/1';
const link = (rel: string, href: string): string => `<link rel="${rel}" href="${RESOURCE}${href}"/>`;
const entry = (links: string, content: string): string =>
  `<entry>${links}<content>${content}</content></entry>\n`;

/** A feed with one block, that holds `readings`; `before` stands in front of its entries. */
const feed = (readings: string, before = ''): string =>
  [
    `<?xml version="1.0"?>\n${FEED}${before}\n`,
    entry(link('self', '/ReadingType/1'), '<e:ReadingType><e:uom>72</e:uom></e:ReadingType>'),
    entry(
      link('self', '') + link('related', '/MeterReading'),
      '<e:UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>',
    ),
    entry(
      link('self', '/MeterReading/1') +
        link('up', '/MeterReading') +
        link('related', '/MeterReading/1/IntervalBlock') +
        link('related', '/ReadingType/1'),
      '<e:MeterReading/>',
    ),
    entry(
      link('self', '/MeterReading/1/IntervalBlock/1') + link('up', '/MeterReading/1/IntervalBlock'),
      `<e:IntervalBlock><e:interval><e:duration>86400</e:duration><e:start>0</e:start></e:interval>\n${readings}</e:IntervalBlock>`,
    ),
    '</feed>\n',
  ].join('');

const reading = (number: number, quality = '', prefix = 'e:'): string => {
  const tag = (name: string, content: string): string => `<${prefix}${name}>${content}</${prefix}${name}>`;
  return tag(
    'IntervalReading',
    (quality && tag('ReadingQuality', tag('quality', quality))) +
      tag('timePeriod', tag('duration', '900') + tag('start', String(1_780_000_000 + 900 * number))) +
      tag('value', String(100 + number)),
  );
};

/** Ways to write readings; each must be read as it is by the parser alone. */
const WAYS: Record<string, string> = {
  'one behind the other': reading(1) + reading(2, '8') + reading(3),
  'a line each': [reading(1), reading(2, '8'), reading(3)].join('\n'),
  'with the line ends of Windows': `${reading(1)}\r\n\r\n${reading(2)}\r\n`,
  'over several lines': reading(1).replaceAll('><', '>\n  <') + reading(2, '14').replaceAll('><', '>\r\n<'),
  'without a prefix': reading(1, '', '') + reading(2, '7', ''),
  'of different prefixes': reading(1, '', 'a:') + reading(2, '', 'b-1.x:'),
  'with a value that is no number': reading(1) + reading(2).replace('102', '10 2') + reading(3),
  'with a character reference': reading(1) + reading(2).replace('102', '1&#48;2') + reading(3),
  'with an attribute': reading(1) + reading(2).replace('<e:value>', '<e:value unit="Wh">') + reading(3),
  'with more fields':
    reading(1) + reading(2).replace('<e:timePeriod>', '<e:cost>5</e:cost><e:timePeriod>') + reading(3),
  'with two qualities': reading(1, '8').replace(
    '<e:timePeriod>',
    '<e:ReadingQuality><e:quality>9</e:quality></e:ReadingQuality><e:timePeriod>',
  ),
  'in another order':
    reading(1).replace(/(<e:timePeriod>.*<\/e:timePeriod>)(<e:value>.*<\/e:value>)/, '$2$1') + reading(2),
  'with a quality that is none': reading(1, '99') + reading(2),
  'one in a comment': `${reading(1)}\n<!-- ${reading(2)} -->\n${reading(3)}`,
  'the first in a comment': `<!-- ${reading(1)} -->${reading(2)}`,
  'one in a CDATA section': `${reading(1)}<![CDATA[${reading(2)}]]>${reading(3)}`,
  'one in an instruction': `${reading(1)}<?was ${reading(2)}?>${reading(3)}`,
  'one outside of a block': `${reading(1)}<e:other>${reading(2)}</e:other>${reading(3)}`,
  'with a text longer than any reading':
    reading(1).replace('<e:value>', `<e:cost>${'7'.repeat(5_000)}</e:cost><e:value>`) + reading(2),
};

describe('readings that are taken out of a feed before the parser sees it', () => {
  it.each(Object.entries(WAYS))('are what the parser reads: %s', async (_name, readings) => {
    // A comment in front of all leaves everything to the parser.
    const expected = await wholeOf(readEspi(() => inPieces(feed(readings, '<!-- -->'), 60_000)));
    expect(expected.reads.length + expected.refusals.length).toBeGreaterThan(0);
    for (const size of [1, 7, 50, 333, 60_000])
      expect(await wholeOf(readEspi(() => inPieces(feed(readings), size)))).toEqual(expected);
  });

  it.each(
    Object.entries({
      'a tag that another closes': reading(1).replace('</e:value>', '</e:valve>'),
      'a prefix that another closes': reading(1).replace('</e:value>', '</f:value>'),
      'a reading that does not end': reading(1).replace('</e:IntervalReading>', ''),
      'a value that is cut off': reading(1).slice(0, -30),
    }),
  )('are refused as by the parser: %s', async (_name, readings) => {
    for (const size of [1, 50, 60_000])
      await expect(wholeOf(readEspi(() => inPieces(feed(readings), size)))).rejects.toThrow(
        'no well-formed XML',
      );
  });
});
