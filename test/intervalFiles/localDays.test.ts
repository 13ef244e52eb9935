import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/intervalFiles/csv/csv.js';
import type { CsvMapping } from '../../src/intervalFiles/csv/mapping.js';
import { shownLocal } from '../../src/intervalFiles/time/clockTexts.js';
import { LocalZone } from '../../src/intervalFiles/time/localZone.js';
import { inPieces, wholeOf } from './totals.js';

/** Days with their quarter hours. */
const DAYS: [string, string, number][] = [
  ['America/New_York', '2026-03-08', 92],
  ['America/New_York', '2026-11-01', 100],
  ['Europe/Berlin', '2026-03-29', 92],
  ['Europe/Berlin', '2026-10-25', 100],
  ['Australia/Sydney', '2026-10-04', 92],
  ['Australia/Sydney', '2026-04-05', 100],
  ['Australia/Lord_Howe', '2026-10-04', 94],
  ['Australia/Lord_Howe', '2026-04-05', 98],
  ['America/New_York', '2026-07-01', 96],
];
const MINUTES = 15;
const LENGTH_MS = MINUTES * 60_000;

function startsOf(zone: LocalZone, day: string): number[] {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const [from = 0] = zone.instantsOf(midnight);
  const [to = 0] = zone.instantsOf(midnight + 86_400_000);
  return Array.from({ length: (to - from) / LENGTH_MS }, (_, index) => from + index * LENGTH_MS);
}

const STAMPS = {
  start: (zone: LocalZone, start: number) => zone.localOf(start),
  end: (zone: LocalZone, start: number) => zone.localOf(start) + LENGTH_MS,
  endByClock: (zone: LocalZone, start: number) => zone.localOf(start + LENGTH_MS),
};

const mappingOf = (zone: LocalZone, stamp: CsvMapping['stamp']): CsvMapping => ({
  ...{ layout: 'long', delimiter: ',', decimalMark: '.', meterColumn: 'meter', timestampColumn: 'time' },
  ...{ dateOrder: 'ymd', zone: zone.name, stamp, repeatedHour: 'inOrder', minutes: MINUTES },
  values: [{ column: 'Wh', channel: 'kwh', unit: 'Wh' }],
});

describe('days on which the clocks change', () => {
  for (const [name, day, quarters] of DAYS)
    it.each(['start', 'end', 'endByClock'] as const)(
      `keeps the energy of each of ${quarters} quarter hours of ${day} in ${name}, told by its %s`,
      async (stamp) => {
        const zone = new LocalZone(name);
        const starts = startsOf(zone, day);
        expect(starts).toHaveLength(quarters);
        const rows = starts.map((start, index) => `A,${shownLocal(STAMPS[stamp](zone, start))},${index + 1}`);
        const text = ['meter,time,Wh', ...rows, ''].join('\n');
        const { reads, refusals } = await wholeOf(readCsv(inPieces(text, 500), mappingOf(zone, stamp)));
        expect(refusals).toEqual([]);
        const found = new Map(reads.map(({ startMs, kwh }) => [startMs, Math.round(Number(kwh) * 1_000)]));
        expect(starts.map((start) => found.get(start))).toEqual(starts.map((_, index) => index + 1));
      },
    );

  it('shows each instant the time that it comes from, in any zone', () => {
    const zones = [
      'America/New_York',
      'Australia/Lord_Howe',
      'America/St_Johns',
      'Africa/Casablanca',
      '+05:45',
      'UTC',
    ].map((name) => new LocalZone(name));
    fc.assert(
      fc.property(
        fc.integer({ min: 700_000, max: 1_000_000 }),
        fc.constantFrom(...zones),
        (halfHours, zone) => {
          const instant = halfHours * 1_800_000;
          expect(zone.instantsOf(zone.localOf(instant))).toContain(instant);
        },
      ),
    );
  });
});
