import { isMeasurable, type SpanRead } from './rules/meterSpan.js';
import { Past } from './rules/past.js';

/**
 * Reads on their way from Postgres: twenty bytes each. A million reads as text took 5 s of CPU to be split and parsed, and
 * as rows of the driver more. Postgres sends numbers with their first byte first.
 */
const BYTES = 20;
const PLACE = { at: 0, kwh: 8, minutes: 16, marks: 18 };
const HAS_VOLTAGE = 1;
const IS_FED_IN = 2;
/** The quality stands above the two marks; 0 is none. */
const QUALITY = 4;
const QUALITIES = [null, 'raw', 'validated', 'estimated', 'edited', 'questionable', 'another'];

/** SQL of one record, of a row of `ami_vee_reads_of`. */
export const RECORD = `float8send(date_part('epoch', read_at)) || float8send(coalesce(kwh, 0)::double precision)
  || int2send(coalesce(interval_minutes, 0::smallint))
  || int2send((CASE WHEN voltage > 0 AND voltage < 'Infinity' THEN ${HAS_VOLTAGE} ELSE 0 END
    + CASE WHEN received_kwh > 0 THEN ${IS_FED_IN} ELSE 0 END
    + ${QUALITY} * CASE WHEN quality IS NULL THEN 0 ${QUALITIES.slice(1, -1)
      .map((quality, index) => `WHEN quality = '${quality}' THEN ${index + 1}`)
      .join(' ')} ELSE ${QUALITIES.length - 1} END)::smallint)`;

/** @param minutesAt says how long a read is that does not say it. */
export function decodedReads(bytes: Buffer | null, minutesAt: (at: number) => number): SpanRead[] {
  if (bytes === null) return [];
  return inOrder(bytes).map(({ at, from }) => {
    const marks = bytes.readInt16BE(from + PLACE.marks);
    return {
      at,
      minutes: bytes.readInt16BE(from + PLACE.minutes) || minutesAt(at),
      kwh: bytes.readDoubleBE(from + PLACE.kwh),
      hasVoltage: (marks & HAS_VOLTAGE) !== 0,
      isFedIn: (marks & IS_FED_IN) !== 0,
      quality: QUALITIES[Math.floor(marks / QUALITY)] ?? null,
    };
  });
}

/** The same of past reads, without those that no meter can have measured. */
export function decodedPast(bytes: Buffer | null, minutesAt: (at: number) => number): Past {
  const places = bytes === null ? [] : inOrder(bytes);
  const [at, kwh] = [new Float64Array(places.length), new Float64Array(places.length)];
  const [minutes, hasVoltage] = [new Uint16Array(places.length), new Uint8Array(places.length)];
  let count = 0;
  for (const place of places) {
    const energy = (bytes as Buffer).readDoubleBE(place.from + PLACE.kwh);
    if (!isMeasurable(energy)) continue;
    at[count] = place.at;
    kwh[count] = energy;
    minutes[count] = (bytes as Buffer).readInt16BE(place.from + PLACE.minutes) || minutesAt(place.at);
    hasVoltage[count] = (bytes as Buffer).readInt16BE(place.from + PLACE.marks) & HAS_VOLTAGE;
    count += 1;
  }
  return new Past(
    at.subarray(0, count),
    kwh.subarray(0, count),
    minutes.subarray(0, count),
    hasVoltage.subarray(0, count),
  );
}

/** Where each record begins, in the order of time. They come nearly so. */
function inOrder(bytes: Buffer): { at: number; from: number }[] {
  const places: { at: number; from: number }[] = [];
  let isSorted = true;
  for (let from = 0, before = Number.NEGATIVE_INFINITY; from < bytes.length; from += BYTES) {
    const at = Math.round(bytes.readDoubleBE(from + PLACE.at) * 1000);
    isSorted &&= at >= before;
    before = at;
    places.push({ at, from });
  }
  return isSorted ? places : places.sort((a, b) => a.at - b.at);
}
