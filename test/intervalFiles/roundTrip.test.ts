import { describe, expect, it } from 'vitest';
import type { ExportFormat } from '../../src/contracts/exportRequest.js';
import type { OutgoingRead } from '../../src/intervalFiles/outgoing.js';
import type { QualityKind } from '../../src/intervalFiles/quality.js';
import { byHour, expected, outgoing, plain, readBack, series, US, written } from './outgoing.js';

const FORMATS: ExportFormat[] = ['csv', 'csv-wide', 'green-button', 'nem12'];
/** What NEM12 makes of raw. */
const qualityIn = (format: ExportFormat): string | undefined =>
  format === 'nem12' ? 'validated' : undefined;
const sorted = (reads: Awaited<ReturnType<typeof readBack>>['reads']) => reads.map(plain).toSorted();
const asFileReads = (reads: readonly OutgoingRead[]) =>
  reads.map(({ startUs, kwh }) => ({ startMs: startUs / US, kwh: kwh ?? '' }));

/** Days on which the clocks change, each with how many quarter hours it has. */
const DAYS: [string, string, string, string, number][] = [
  ['UTC', '2026-03-01', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', 96],
  ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', 92],
  ['America/New_York', '2026-11-01', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 100],
  ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00Z', '2026-04-05T13:30:00Z', 98],
  ['Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z', 94],
  ['Asia/Kolkata', '2026-03-01', '2026-02-28T18:30:00Z', '2026-03-01T18:30:00Z', 96],
  // Midnight itself is shown twice, and not at all.
  ['America/Havana', '2026-11-01', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 100],
  ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00Z', '2026-04-24T21:00:00Z', 92],
];

describe.each(FORMATS)('%s and back', (format) => {
  // A day of NEM12 is one of UTC+10, whoever's days are asked for.
  const inZone = DAYS.map(([zone, day, from, to, count]) =>
    format === 'nem12'
      ? (['+10:00', '2026-11-01', '2026-10-31T14:00:00Z', '2026-11-01T14:00:00Z', 96] as const)
      : ([zone, day, from, to, count] as const),
  );

  it.each(format === 'nem12' ? inZone.slice(0, 1) : inZone)(
    'keeps each read, and the energy of each hour, in %s on %s',
    async (zone, day, from, to, count) => {
      const reads = series(from, to);
      expect(reads).toHaveLength(count);
      const { text, counts } = written(format, [reads], { zone, day });
      const back = await readBack(text);
      expect(back.refusals).toEqual([]);
      expect(sorted(back.reads)).toEqual(expected(reads, qualityIn(format)));
      expect(byHour(back.reads)).toEqual(byHour(asFileReads(reads)));
      expect(counts).toMatchObject({ reads: count, left: {} });
    },
  );

  it('keeps several meters, days and both directions, with the sums', async () => {
    const span = ['2026-03-01T14:00:00Z', '2026-03-03T14:00:00Z'] as const;
    const meters = ['A', 'B'].map((meterId) => series(...span, { meterId, receivedKwh: '0.0004' }));
    const { text, counts } = written(format, meters, { zone: '+10:00', day: '2026-03-02', days: 2 });
    const back = await readBack(text);
    expect(back.refusals).toEqual([]);
    expect(sorted(back.reads)).toEqual(expected(meters.flat(), qualityIn(format)));
    expect([counts.reads, counts.receivedKwh]).toEqual([768, '0.1536']);
  });

  it('says nothing with a header alone, and that is read back as nothing', async () => {
    const { text, counts } = written(format, []);
    expect(await readBack(text)).toEqual({ reads: [], refusals: [], left: {} });
    expect(counts).toEqual({ reads: 0, kwh: '0', receivedKwh: '0', left: {}, notCarried: {} });
  });

  it('counts what is no energy, and what has too many digits; the rest is written', async () => {
    const day = series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z').map((read) => ({
      ...read,
      meterId: 'WHOLE',
    }));
    const odd = ['NaN', 'Infinity', '-Infinity', null, `0.${'1'.repeat(30)}`, '1e300', '1e-300'].map(
      (kwh, place) => outgoing({ at: `2026-03-01T1${place}:00:00Z`, kwh }),
    );
    const { text, counts } = written(format, [odd, day], { zone: '+10:00', day: '2026-03-02' });
    expect(counts.left).toEqual({ noEnergy: 4, digits: 3 });
    const back = await readBack(text);
    expect(back.refusals).toEqual([]);
    expect(sorted(back.reads)).toEqual(expected(day, qualityIn(format)));
  });

  it('keeps exponents, and zeros at the end, as the number that they are', async () => {
    const day = series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z', { kwh: '1e-07' });
    day[1] = { ...(day[1] as OutgoingRead), kwh: `0.5${'0'.repeat(40)}` };
    const back = await readBack(written(format, [day], { zone: '+10:00', day: '2026-03-02' }).text);
    expect(back.reads.slice(0, 2).map(({ kwh }) => kwh)).toEqual(['0.0000001', '0.5']);
  });
});

describe.each(['csv', 'csv-wide', 'nem12'] as const)('%s', (format) => {
  it('leaves negative energy out, with its count', async () => {
    const day = series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z');
    const { counts } = written(format, [[...day, outgoing({ at: '2026-03-02T14:00:00Z', kwh: '-0.5' })]], {
      zone: '+10:00',
      day: '2026-03-02',
    });
    expect(counts).toMatchObject({ reads: 96, left: { negative: 1 } });
  });
});

describe.each(['csv-wide', 'nem12'] as const)('%s has one value for each interval of its grid', (format) => {
  const at = { zone: '+10:00', day: '2026-03-02' };
  const day = series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z');

  it('counts reads of another length, such as hours beside quarter hours', async () => {
    const { text, counts } = written(
      format,
      [[...day, outgoing({ at: '2026-03-01T20:00:00Z', minutes: 60 })]],
      at,
    );
    expect(counts).toMatchObject({ reads: 96, left: { otherLength: 1 } });
    expect(sorted((await readBack(text)).reads)).toEqual(expected(day, qualityIn(format)));
  });

  it('counts reads that begin off the grid, to the microsecond', () => {
    const off = [250, 1_000, 60_000_000].map((us) =>
      outgoing({ startUs: Date.parse('2026-03-01T20:00:00Z') * US + us }),
    );
    expect(written(format, [[...day, ...off]], at).counts).toMatchObject({ reads: 96, left: { offGrid: 3 } });
  });

  it('counts both of two reads with one start, since neither is known to be the true one', () => {
    const twice = written(
      format,
      [
        [
          ...day,
          outgoing({ at: '2026-03-02T14:00:00Z' }),
          outgoing({ at: '2026-03-02T14:00:00Z', kwh: '9' }),
        ],
      ],
      at,
    );
    expect(twice.counts.left).toMatchObject({ repeated: 2 });
    expect(twice.counts.reads).toBe(96);
  });
});

describe('CSV', () => {
  const NAMES = [
    'a"b',
    'a,b',
    '=1+1',
    '@x',
    '-5',
    '+5',
    "'=x",
    "'",
    ' lead',
    'trail ',
    '\ttab',
    'two\nlines',
    'cr\rlf\r\n',
    'äöü',
    '计量',
    'null',
    '-',
    'NaN',
    '"',
    '""',
    ',',
    '\u200B',
    'M\u00A0',
    '"a"',
    'ends\n',
  ];

  it.each(['csv', 'csv-wide'] as const)('%s keeps any name of a meter', async (format) => {
    const meters = NAMES.map((meterId) => [outgoing({ meterId })]);
    const { text, counts } = written(format, meters);
    const back = await readBack(text);
    expect(back.refusals).toEqual([]);
    expect(back.reads.map(({ meterId }) => meterId)).toEqual(NAMES);
    expect(counts.left).toEqual({});
    // No cell begins with what a spreadsheet takes for a formula.
    expect(text.split(/[\n,]/).filter((cell) => /^"?[=+\-@]/.test(cell))).toEqual([]);
  });

  it.each(['csv', 'csv-wide'] as const)('%s keeps every quality with its method', async (format) => {
    const kinds: QualityKind[] = ['raw', 'validated', 'estimated', 'edited', 'questionable'];
    const reads = kinds.map((kind, place) =>
      outgoing({
        at: `2026-03-01T0${place}:00:00Z`,
        quality: { kind, ...(place % 2 ? {} : { method: 'S14' }) },
      }),
    );
    const back = await readBack(written(format, [reads]).text);
    expect(sorted(back.reads)).toEqual(expected(reads));
  });

  it('long keeps all digits of an instant; our import takes milliseconds, and says why it does not take more', async () => {
    const start = Date.parse('2026-03-01T10:00:00Z') * US;
    const { text, counts } = written('csv', [[0, 1_000, 250].map((us) => outgoing({ startUs: start + us }))]);
    expect(counts.reads).toBe(3);
    expect(text).toContain('2026-03-01T10:00:00.000250Z');
    const back = await readBack(text);
    expect(back.reads.map(({ startMs }) => startMs - start / US)).toEqual([0, 1]);
    expect(back.refusals).toEqual([
      expect.objectContaining({ line: 4, reason: expect.stringContaining('to the millisecond at most') }),
    ]);
  });

  it('long has voltage, delivered energy, flags and revision of each read', () => {
    const { text } = written('csv', [
      [
        outgoing({
          ...{ deliveredKwh: '0.130', voltage: '112.4', flags: ['LOW_VOLTAGE', 'X'] },
          writtenUs: Date.parse('2026-03-01T00:16:00Z') * US,
          revisedUs: Date.parse('2026-03-02T00:00:00.5Z') * US + 1,
        }),
        outgoing({ flags: ['two words', 'a"b'], voltage: 'NaN', writtenUs: null, revisedUs: null }),
      ],
    ]);
    expect(text.split('\n').slice(1, 3)).toEqual([
      'M-1,FEEDER_1,2026-03-01T00:00:00Z,15,0.125,,0.13,112.4,raw,,LOW_VOLTAGE X,2026-03-01T00:16:00Z,2026-03-02T00:00:00.500001Z',
      'M-1,FEEDER_1,2026-03-01T00:00:00Z,15,0.125,,,NaN,raw,,"[""two words"",""a\\""b""]",,',
    ]);
  });

  it('wide has hours that begin at half past in India as they are', async () => {
    const reads = series('2026-02-28T19:00:00Z', '2026-03-01T19:00:00Z', { minutes: 60 });
    const { text, counts } = written('csv-wide', [reads], { zone: 'Asia/Kolkata' });
    expect(text.split('\n')[0]).toContain(',00:30,01:30,');
    expect(counts).toMatchObject({ reads: 24, left: {} });
    expect(sorted((await readBack(text)).reads)).toEqual(expected(reads));
  });

  it('wide keeps one pass of the repeated hour where the other is missing', async () => {
    const reads = series('2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z').filter(
      (_, place) => place < 4 || place > 7,
    );
    const { text } = written('csv-wide', [reads], { zone: 'America/New_York', day: '2026-11-01' });
    expect(text.split('\n')[0]).toContain(',01:00,01:00 (2),01:15,');
    expect(sorted((await readBack(text)).reads)).toEqual(expected(reads));
  });

  it('wide counts what it does not say', () => {
    const read = outgoing({ voltage: '120', deliveredKwh: '1', flags: ['X'], revisedUs: 9e15 });
    expect(written('csv-wide', [[read]]).counts.notCarried).toEqual({
      ...{ feederId: 1, voltage: 1, deliveredKwh: 1, flags: 1, revision: 1 },
    });
  });

  it('refuses a row that was cut off at the end of the file', async () => {
    const { text } = written('csv', [series('2026-03-01T00:00:00Z', '2026-03-01T01:00:00Z')]);
    const back = await readBack(text.slice(0, -5));
    expect([back.reads.length, back.refusals.length]).toEqual([3, 1]);
  });
});

describe('NEM12', () => {
  const at = { zone: '+10:00', day: '2026-03-02' };
  const day = (more: Partial<OutgoingRead> = {}) =>
    series('2026-03-01T14:00:00Z', '2026-03-02T14:00:00Z', more);

  it('has a day whole or not at all', () => {
    const { text, counts } = written('nem12', [day().slice(0, -1)], at);
    expect(counts).toMatchObject({ reads: 0, left: { incompleteDay: 95 } });
    expect(text.split('\r\n').slice(1)).toEqual(['900', '']);
  });

  it('has 5, 15 and 30 minutes, and no hours', async () => {
    for (const minutes of [5, 30]) {
      const reads = day({ minutes });
      expect(sorted((await readBack(written('nem12', [reads], at).text)).reads)).toEqual(
        expected(reads, 'validated'),
      );
    }
    expect(written('nem12', [day({ minutes: 60 })], at).counts.left).toEqual({ otherLength: 24 });
  });

  it('tells the qualities within a day, and counts what it can only say nearly or not at all', async () => {
    const reads = day({ quality: { kind: 'validated' } });
    reads[5] = { ...(reads[5] as OutgoingRead), quality: { kind: 'estimated', method: 'S14' } };
    reads[6] = { ...(reads[6] as OutgoingRead), quality: { kind: 'estimated', method: 'F52' } };
    const { text, counts } = written('nem12', [reads], at);
    expect(text).toContain(',V,,,');
    expect(sorted((await readBack(text)).reads)).toEqual(expected(reads));
    expect(counts.notCarried).toEqual({ feederId: 96 });
    expect(written('nem12', [day()], at).counts.notCarried).toEqual({ feederId: 96, quality: 96 });
    expect(written('nem12', [day({ quality: { kind: 'questionable' } })], at).counts.left).toEqual({
      quality: 96,
    });
  });

  it.each(['a,b', 'a"b', 'a\nb', ' a', 'a '])(
    'counts the reads of a meter that it cannot name: %j',
    (meterId) => {
      expect(written('nem12', [day({ meterId })], at).counts.left).toEqual({ name: 96 });
    },
  );

  it('says when the day was last revised, in NEM time', () => {
    const { text } = written('nem12', [day({ revisedUs: Date.parse('2026-03-05T15:00:00Z') * US })], at);
    expect(text).toContain(',A,,,20260306010000,\r\n');
  });
});

describe('Green Button', () => {
  it('has values as whole numbers by a power of ten of each meter, as fine as it must be', async () => {
    const meters = ['0.125', '0.0001234', '-0.5', '0.0000000000001'].map((kwh, place) => [
      outgoing({ meterId: `M${place}`, kwh }),
    ]);
    const { text } = written('green-button', meters);
    expect([...text.matchAll(/<powerOfTenMultiplier>(-\d+)</g)].map(([, power]) => power)).toEqual([
      ...['-3', '-6', '-3', '-12'],
    ]);
    expect((await readBack(text)).reads.map(({ kwh }) => kwh)).toEqual([
      ...['0.125', '0.0001234', '-0.5', '0.0000000000001'],
    ]);
  });

  it('has a type of its own for values that are too large beside fine ones, and counts those that are no Int48', async () => {
    const of = (...values: string[]) =>
      written('green-button', [
        values.map((kwh, place) => outgoing({ at: `2026-03-01T0${place}:00:00Z`, kwh })),
      ]);
    expect(of('140737488355329').counts).toMatchObject({ reads: 0, left: { digits: 1 } });
    expect(of('0.0000000000000001').counts).toMatchObject({ reads: 0, left: { digits: 1 } });
    const { text, counts } = of('100000', '0.000000000000001', '0.1');
    expect(counts).toMatchObject({ reads: 3, left: {} });
    expect(sorted((await readBack(text)).reads).map((read) => Number(read.split(' ')[4]))).toEqual([
      1e5, 1e-15, 0.1,
    ]);
  });

  it('keeps every quality that ESPI has a code for, and counts those that it says nearly', async () => {
    const exact = [
      ...[
        { kind: 'raw' },
        { kind: 'validated' },
        { kind: 'questionable' },
        { kind: 'edited', method: 'manual' },
      ],
      ...[
        { kind: 'estimated', method: 'linear' },
        { kind: 'estimated', method: 'referenceDay' },
      ],
    ] as const;
    const reads = exact.map((quality, place) => outgoing({ at: `2026-03-01T0${place}:00:00Z`, quality }));
    const { text, counts } = written('green-button', [reads]);
    expect(sorted((await readBack(text)).reads)).toEqual(expected(reads));
    expect(counts.notCarried).toEqual({ feederId: 6 });
    expect(
      written('green-button', [[outgoing({ quality: { kind: 'estimated', method: 'S14' } })]]).counts
        .notCarried,
    ).toEqual({ feederId: 1, quality: 1 });
  });

  it.each([' a', 'a\n', '\u0001', ''])('counts the reads of a meter that it cannot name: %j', (meterId) => {
    expect(written('green-button', [[outgoing({ meterId })]]).counts.left).toEqual({ name: 1 });
  });

  it.each(['a"b', '<&>]]>', 'a\r\nb', 'äöü 计量', '😀'])('keeps the name %j', async (meterId) => {
    expect((await readBack(written('green-button', [[outgoing({ meterId })]]).text)).reads[0]?.meterId).toBe(
      meterId,
    );
  });

  it('keeps two reads of one start, and lengths that overlap', async () => {
    const reads = [outgoing(), outgoing({ kwh: '9' }), outgoing({ minutes: 60 })];
    expect(sorted((await readBack(written('green-button', [reads]).text)).reads)).toEqual(expected(reads));
  });

  it('is read back with 5,000 meters in one file', async () => {
    const meters = Array.from({ length: 5_000 }, (_, place) => [outgoing({ meterId: `M-${place}` })]);
    const back = await readBack(written('green-button', meters).text);
    expect(new Set(back.reads.map(({ meterId }) => meterId)).size).toBe(5_000);
  });
});
