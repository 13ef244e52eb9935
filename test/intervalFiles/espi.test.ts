import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readEspi } from '../../src/intervalFiles/espi/espi.js';
import { UnreadableFileError } from '../../src/intervalFiles/intervalFiles.js';
import { byDay, grouped, inPieces, sample, sumOf, type WholeFile, wholeOf } from './totals.js';

const newYork = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York' });
const localDay = (startMs: number): string => newYork.format(startMs);
const read = (text: string): Promise<WholeFile> => wholeOf(readEspi(() => inPieces(text, 50)));
const textOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../data/interval-files/${name}`, import.meta.url)), 'utf8');

const QUARTER_HOURS = 'greenbutton-15min-forward-reverse.xml';
const HOURS = 'greenbutton-hourly-two-usage-points.xml';

describe('Green Button', () => {
  it('reads both directions, 100 quarter hours on the day that the clocks go back, and leaves gas with its count', async () => {
    const { reads, refusals, left } = await wholeOf(readEspi(() => sample(QUARTER_HOURS)));
    expect(refusals).toEqual([]);
    expect(left).toEqual({ 'service kind 1': 1 });
    const taken = reads.filter(({ channel }) => channel === 'kwh');
    const fedIn = reads.filter(({ channel }) => channel === 'receivedKwh');
    expect([taken.length, fedIn.length]).toEqual([196, 196]);
    expect(byDay(taken, localDay)).toEqual({ '2026-10-31': '20.338', '2026-11-01': '19.590' });
    expect(byDay(fedIn, localDay)).toEqual({ '2026-10-31': '8.170', '2026-11-01': '8.330' });
    expect(new Set(reads.map(({ minutes }) => minutes))).toEqual(new Set([15]));
  });

  it('reads hours of two points, whose values differ by a power of ten, with the quality of each', async () => {
    const { reads } = await wholeOf(readEspi(() => sample(HOURS)));
    const points = [...grouped(reads, ({ meterId }) => meterId)];
    expect(points.map(([id, of]) => [id, of.length, sumOf(of)])).toEqual([
      ['RetailCustomer/1/UsagePoint/1', 73, '60.344'],
      ['RetailCustomer/1/UsagePoint/2', 73, '58.516'],
    ]);
    expect(reads.filter(({ quality }) => quality.kind === 'estimated')).toHaveLength(3);
  });

  it('reads the same whatever the order of the entries', async () => {
    const text = textOf(QUARTER_HOURS);
    const entries = text.match(/<entry>[\s\S]*?<\/entry>/g) ?? [];
    const head = text.slice(0, text.indexOf('<entry>'));
    const reversed = `${head}${entries.toReversed().join('\n')}\n</feed>`;
    const sums = async (of: string) => {
      const { reads } = await read(of);
      return [...grouped(reads, ({ channel, meterId }) => `${meterId} ${channel}`)]
        .map(([key, group]) => `${key} ${group.length} ${sumOf(group)}`)
        .toSorted();
    };
    expect(await sums(reversed)).toEqual(await sums(text));
  });

  it('takes links to entries where others link to collections', async () => {
    const linked = textOf(HOURS).replaceAll(
      /(rel="related" href="[^"]*\/(?:MeterReading\/\d+\/IntervalBlock|UsagePoint\/\d+\/MeterReading))"/g,
      '$1/1"',
    );
    expect(sumOf((await read(linked)).reads)).toBe('118.860');
  });

  it('says how many readings hang on nothing, and reads the others', async () => {
    const text = textOf(HOURS).replace(
      'UsagePoint/2/MeterReading/1/IntervalBlock"/><link rel="up"',
      'X"/><link rel="up"',
    );
    const broken = text.replaceAll('UsagePoint/2/MeterReading/1/IntervalBlock', 'UsagePoint/9/Lost');
    const { reads, refusals } = await read(broken);
    expect(sumOf(reads.filter(({ meterId }) => meterId.endsWith('UsagePoint/1')))).toBe('60.344');
    expect(
      reads.length + refusals.reduce((sum, { reason }) => sum + Number(/^\d+/.exec(reason)?.[0] ?? 0), 0),
    ).toBe(146);
  });

  it.each([
    ['is cut off', (text: string) => text.slice(0, text.length / 2)],
    ['has a DOCTYPE', (text: string) => text.replace('?>', '?><!DOCTYPE feed [<!ENTITY name "value">]>')],
    ['is another XML', () => '<feed xmlns="http://www.w3.org/2005/Atom"/>'],
    ['is no XML', () => 'meter,kwh\n1,2\n'],
  ])('refuses a file that %s as a whole', async (_what, change) => {
    await expect(read(change(textOf(HOURS)))).rejects.toBeInstanceOf(UnreadableFileError);
  });

  it.each([
    ['value', '<value>1.5</value>'],
    ['start', '<timePeriod><duration>3600</duration></timePeriod>'],
    ['duration', '<timePeriod><duration>90</duration><start>1793419200</start></timePeriod>'],
    ['quality', '<ReadingQuality><quality>99</quality></ReadingQuality>'],
  ])('refuses a reading with a bad %s, with its line, and reads the others', async (field, instead) => {
    const text = textOf(HOURS);
    const from = text.indexOf('<IntervalReading>');
    const to = text.indexOf('</IntervalReading>');
    const one = text.slice(from, to);
    const changed =
      field === 'quality'
        ? one.replace('<IntervalReading>', `<IntervalReading>${instead}`)
        : field === 'value'
          ? one.replace(/<value>.*<\/value>/, instead)
          : one.replace(/<timePeriod>.*<\/timePeriod>/, instead);
    const { reads, refusals } = await read(text.slice(0, from) + changed + text.slice(to));
    expect(reads).toHaveLength(145);
    expect(refusals).toMatchObject([{ line: 21, reason: expect.stringContaining(field) }]);
  });
});
