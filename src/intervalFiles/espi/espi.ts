import { shifted } from '../decimal.js';
import { emptyBatch, type FileBatch, type FileText, leave, UnreadableFileError } from '../intervalFiles.js';
import { espiQuality, type ReadQuality, worse } from '../quality.js';
import { EspiReader } from './espiReader.js';
import type { RawReading } from './rawReading.js';
import { type BlockMeaning, EspiStructure, type Links } from './structure.js';
import { withoutReadings } from './withoutReadings.js';

/** Readings of one entry that are held until it is known what they are. A year of quarter hours is 35,040. */
const MOST_HELD = 400_000;

/**
 * Reads Green Button XML (ESPI 4.0: a feed of Atom entries). The entries that say what the values are may come after the
 * values, so a first pass looks for them alone.
 *
 * @param open the file's text from its beginning; it is read twice.
 * @yields what each piece of the text says.
 * @throws UnreadableFileError where it is no well-formed XML, has a DOCTYPE, is no ESPI, or is cut off.
 */
export async function* readEspi(open: () => FileText): AsyncGenerator<FileBatch> {
  const structure = new EspiStructure();
  const nothing = (): void => undefined;
  const first = new EspiReader(structure, nothing, nothing);
  // The second pass holds the whole text to being well-formed; the first need not see what it does not use.
  for await (const piece of withoutReadings(open())) first.write(piece);
  first.close();

  let batch = emptyBatch();
  let held: RawReading[] = [];
  const hold = (reading: RawReading): void => {
    if (held.length >= MOST_HELD)
      throw new UnreadableFileError(reading.line, `an entry has more than ${MOST_HELD} readings`);
    held.push(reading);
  };
  const settle = (links: Links): void => {
    if (held.length === 0) return;
    const readings = held;
    held = [];
    const meaning = structure.meaningOf(links);
    if (meaning === undefined) {
      batch.refusals.push({
        line: (readings[0] as RawReading).line,
        reason: `${readings.length} readings belong to no MeterReading with a UsagePoint and a ReadingType: the links of the entry lead to none`,
      });
    } else addReadings(batch, readings, meaning);
  };
  const second = new EspiReader(new EspiStructure(), hold, settle);
  for await (const piece of open()) {
    second.write(piece);
    yield batch;
    batch = emptyBatch();
  }
  second.close();
  yield batch;
}

function addReadings(batch: FileBatch, readings: readonly RawReading[], meaning: BlockMeaning): void {
  const { channel, meterId, power } = meaning;
  if (channel === undefined) return void leave(batch, meaning.what, readings.length);
  for (const reading of readings) {
    const { line } = reading;
    const kwh = shifted(reading.value, power);
    const minutes = Number(reading.duration) / 60;
    const startMs = Number(reading.start) * 1_000;
    const quality = qualityOf(reading, meaning);
    if (kwh === undefined || !/^-?\d+$/.test(reading.value))
      batch.refusals.push({
        line,
        meterId,
        reason: `value is ${reading.value || 'missing'}: it must be a whole number`,
      });
    else if (!/^\d+$/.test(reading.start) || !Number.isSafeInteger(startMs))
      batch.refusals.push({
        line,
        meterId,
        reason: `start is ${reading.start || 'missing'}: it must be seconds since 1970`,
      });
    else if (!Number.isInteger(minutes) || minutes <= 0)
      batch.refusals.push({
        ...{ line, meterId },
        reason: `duration is ${reading.duration || 'missing'}: it must be seconds of whole minutes`,
      });
    else if (quality === undefined)
      batch.refusals.push({
        line,
        meterId,
        reason: `quality ${reading.qualities.join(', ')} is none of ESPI's`,
      });
    else batch.reads.push({ meterId, channel, startMs, minutes, kwh, quality, line });
  }
}

/** The worst of several, else the type's. */
function qualityOf({ qualities }: RawReading, { quality }: BlockMeaning): ReadQuality | undefined {
  if (qualities.length === 0) return quality;
  return qualities
    .map((code) => espiQuality(Number(code)))
    .reduce((worst, one) => (worst === undefined || one === undefined ? undefined : worse(worst, one)));
}
