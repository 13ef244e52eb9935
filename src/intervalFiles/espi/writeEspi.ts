import { fractionDigits, shifted } from '../decimal.js';
import type { EnergyChannel } from '../intervalFiles.js';
import {
  dropAllButEnergy,
  energiesOf,
  type FileWriter,
  type OutgoingRead,
  type OutgoingValue,
  Tally,
} from '../outgoing.js';
import { espiCode } from '../quality.js';
import { ESPI_NAMESPACE } from './espiReader.js';
import { closeEntry, feedHead, openEntry, titleText } from './feed.js';

const US_PER_SECOND = 1_000_000;
/** FlowDirectionKind: forward, reverse. */
const FLOWS: Record<EnergyChannel, number> = { kwh: 1, receivedKwh: 19 };
/** UnitMultiplierKind as far as it is needed: milli, micro, nano, pico. Values are in Wh times ten to that power. */
const POWERS = [-3, -6, -9, -12] as const;
/** Digits of kWh behind the point that a power of Wh keeps. */
const KWH_DIGITS = 3;
/** ESPI's Int48. */
const INT48_MOST = 140_737_488_355_328n;
/** QualityOfReading of a type's readings that have none of their own: raw. */
const RAW_CODE = '14';
/** Readings of one entry: a month of quarter hours. A reader has to hold them. */
const BLOCK_READINGS = 3_000;

interface EspiOptions {
  /** Of the feed. */
  title: string;
  /** When the feed is made, ms. */
  now: number;
  /** A UUID that is always the same for the same text. */
  uuidOf: (text: string) => string;
}

/**
 * Green Button XML (ESPI 4.0). Each meter is a UsagePoint with a MeterReading and a ReadingType for each direction and
 * interval length. Values are whole numbers: the power of ten of each type is such that no digit is lost.
 */
export function espiWriter({ title, now, uuidOf }: EspiOptions): FileWriter {
  const tally = new Tally();
  const updated = `${new Date(now).toISOString().slice(0, 19)}Z`;
  let points = 0;
  let types = 0;
  const entry = (self: string, up: string, related: readonly string[], of: string, content: string) =>
    `${openEntry({ id: uuidOf(`${title} ${self}`), self, up, related, title: of })}${content}${closeEntry(updated)}`;

  const meter = (reads: readonly OutgoingRead[]): string => {
    const name = titleText(reads[0]?.meterId ?? '');
    const values = energiesOf(reads, tally, true);
    if (name === undefined) {
      tally.leave('name', values.length);
      return '';
    }
    const series = seriesOf(values, tally);
    if (series.length === 0) return '';
    points += 1;
    const customer = '/espi/1_1/resource/RetailCustomer/1/UsagePoint';
    const point = `${customer}/${points}`;
    const texts = [
      entry(
        point,
        customer,
        [`${point}/MeterReading`],
        name,
        `<UsagePoint xmlns="${ESPI_NAMESPACE}"><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>`,
      ),
    ];
    for (const [place, one] of series.entries()) {
      types += 1;
      const reading = `${point}/MeterReading/${place + 1}`;
      const type = `/espi/1_1/resource/ReadingType/${types}`;
      texts.push(
        entry(
          reading,
          `${point}/MeterReading`,
          [`${reading}/IntervalBlock`, type],
          name,
          `<MeterReading xmlns="${ESPI_NAMESPACE}"/>`,
        ),
        entry(type, '/espi/1_1/resource/ReadingType', [], 'Energy', typeContent(one)),
      );
      for (let at = 0, block = 1; at < one.readings.length; at += BLOCK_READINGS, block += 1) {
        const readings = one.readings.slice(at, at + BLOCK_READINGS);
        const blocks = `${reading}/IntervalBlock`;
        texts.push(entry(`${blocks}/${block}`, blocks, [], name, blockContent(readings, one.minutes, tally)));
      }
    }
    return texts.join('');
  };
  return {
    tally,
    begin: () => feedHead(uuidOf(title), title, updated),
    take: (meters) => meters.map(meter).join(''),
    end: () => '</feed>\n',
  };
}

interface Series {
  channel: EnergyChannel;
  minutes: number;
  power: number;
  readings: { value: OutgoingValue; whole: string }[];
}

/** Values by direction and length, each with a power of ten that makes them whole. */
function seriesOf(values: readonly OutgoingValue[], tally: Tally): Series[] {
  const groups = new Map<string, OutgoingValue[]>();
  for (const value of values) {
    if (value.read.startUs % US_PER_SECOND !== 0) {
      tally.leave('offGrid');
      continue;
    }
    const key = `${value.channel} ${value.read.minutes}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [value]);
    else known.push(value);
  }
  return [...groups.values()].flatMap((group) => {
    const fitting = group.filter(({ kwh }) => POWERS.some((power) => wholeOf(kwh, power) !== undefined));
    tally.leave('digits', group.length - fitting.length);
    return ofOnePower(fitting);
  });
}

/** The finest power that one of them needs has all but the largest; those have a series of their own. */
function ofOnePower(values: readonly OutgoingValue[]): Series[] {
  const [first] = values;
  if (first === undefined) return [];
  const power = POWERS.find((one) =>
    values.every(({ kwh }) => fractionDigits(kwh) <= KWH_DIGITS - one),
  ) as (typeof POWERS)[number];
  const readings: Series['readings'] = [];
  const tooLarge: OutgoingValue[] = [];
  for (const value of values) {
    const whole = wholeOf(value.kwh, power);
    if (whole === undefined) tooLarge.push(value);
    else readings.push({ value, whole });
  }
  return [{ channel: first.channel, minutes: first.read.minutes, power, readings }, ...ofOnePower(tooLarge)];
}

/** Wh times ten to the power of `power`; undefined where that is not whole, or no Int48. */
function wholeOf(kwh: string, power: number): string | undefined {
  if (fractionDigits(kwh) > KWH_DIGITS - power) return undefined;
  const whole = shifted(kwh, KWH_DIGITS - power);
  if (whole === undefined) return undefined;
  const value = BigInt(whole);
  return value > INT48_MOST || value < -INT48_MOST ? undefined : whole;
}

function typeContent({ channel, minutes, power }: Series): string {
  return (
    `<ReadingType xmlns="${ESPI_NAMESPACE}"><accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity>` +
    `<defaultQuality>${RAW_CODE}</defaultQuality><flowDirection>${FLOWS[channel]}</flowDirection>` +
    `<intervalLength>${minutes * 60}</intervalLength><kind>12</kind>` +
    `<powerOfTenMultiplier>${power}</powerOfTenMultiplier><uom>72</uom></ReadingType>`
  );
}

function blockContent(readings: Series['readings'], minutes: number, tally: Tally): string {
  const starts = readings.map(({ value }) => value.read.startUs / US_PER_SECOND);
  const first = starts[0] as number;
  const duration = (starts.at(-1) as number) + minutes * 60 - first;
  const texts = readings.map(({ value, whole }, place) => {
    const { flag, isExact } = espiCode(value.read.quality);
    if (!isExact) tally.drop('quality');
    tally.write(value.channel, value.kwh);
    dropAllButEnergy(value, tally);
    const quality = flag === RAW_CODE ? '' : `<ReadingQuality><quality>${flag}</quality></ReadingQuality>`;
    return (
      `<IntervalReading>${quality}<timePeriod><duration>${minutes * 60}</duration>` +
      `<start>${starts[place]}</start></timePeriod><value>${whole}</value></IntervalReading>\n`
    );
  });
  return (
    `<IntervalBlock xmlns="${ESPI_NAMESPACE}"><interval><duration>${duration}</duration>` +
    `<start>${first}</start></interval>\n${texts.join('')}</IntervalBlock>`
  );
}
