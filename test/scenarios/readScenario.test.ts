import { readdirSync, readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readScenario } from '../../src/scenarios/readScenario.js';
import { scenarioSchema } from '../../src/scenarios/shape.js';

const FOLDER = new URL('../../scenarios/', import.meta.url);
const SHIPPED = readdirSync(FOLDER);
const PUBLISHED = new URL('../../docs/scenario.schema.json', import.meta.url);

const scenario = (events: string, over = ''): string => `scenario: A test
tenantId: T
meterCount: 100
feederCount: 10
timeZone: Europe/Berlin
${over || 'span: { from: 2026-03-27, days: 4 }'}
events:
${events}
`;
const eventsOf = (events: string) => readScenario(scenario(events), 'file').events;
const starts = (events: string): string[] => eventsOf(events).map(({ startAt }) => startAt.toISOString());

describe('scenarios that ship', () => {
  it('are six', () => {
    expect(SHIPPED.sort()).toEqual([
      'dst-weekend.yaml',
      'heat-wave.yaml',
      'meter-exchange.yaml',
      'quiet-month.yaml',
      'storm-night.yaml',
      'theft-campaign.yaml',
    ]);
  });

  it.each(SHIPPED)('%s is valid, also by the schema that editors use', (name) => {
    const text = readFileSync(new URL(name, FOLDER), 'utf8');
    expect(readScenario(text, name).file.meterCount).toBe(2000);
    const ajv = new Ajv2020.default({ strict: false });
    addFormats.default(ajv);
    const valid = ajv.compile(scenarioSchema());
    expect(valid(parse(text)), JSON.stringify(valid.errors)).toBe(true);
  });

  it('the theft campaign has all six forms', () => {
    const { events } = readScenario(readFileSync(new URL('theft-campaign.yaml', FOLDER), 'utf8'), 'file');
    expect(new Set(events.flatMap(({ form }) => form ?? []))).toEqual(
      new Set(['constant', 'random', 'window', 'mean-factor', 'mean', 'reversed']),
    );
  });
});

describe('the published schema', () => {
  it('is the one of this version: npm run scenario -- schema > docs/scenario.schema.json', () => {
    expect(JSON.parse(readFileSync(PUBLISHED, 'utf8'))).toEqual(JSON.parse(JSON.stringify(scenarioSchema())));
  });
});

describe('a scenario', () => {
  it('of a place alone stays what it was when there were two models, since it gives the same bytes', () => {
    const of = (more: string) =>
      readScenario(scenario('  []', `span: { from: 2026-03-27, days: 4 }\nplace: uk${more}`), 'file');
    expect(of('').emulation).toMatchObject({ model: 2, place: 'uk' });
    expect(of('').file).toMatchObject({ model: 2, place: 'uk' });
    expect(of('\nmodel: 3').emulation).toMatchObject({ model: 3, place: 'uk' });
  });

  it('is the same as YAML and as JSON', () => {
    const yaml = scenario(
      '  - { type: theft, feeders: [FEEDER_1], day: 0, durationMinutes: 60, meterFraction: 0.1 }',
    );
    expect(readScenario(JSON.stringify(parse(yaml)), 'file')).toEqual(readScenario(yaml, 'file'));
  });

  it('spans days of its own clock, the one of the change being an hour short', () => {
    const { from, to } = readScenario(scenario('  []'), 'file');
    expect([from.toISOString(), to.toISOString()]).toEqual([
      '2026-03-26T23:00:00.000Z',
      '2026-03-30T22:00:00.000Z',
    ]);
  });

  it('has events by day and time of its clock, by instant, and after each other on further feeders', () => {
    expect(
      starts('  - { type: voltage-sag, feeders: [FEEDER_1], day: 3, time: "18:00", durationMinutes: 60 }'),
    ).toEqual(['2026-03-30T16:00:00.000Z']);
    expect(
      starts(
        '  - { type: voltage-sag, feeders: all, stepMinutes: 5, startAt: 2026-03-28T10:00:00+01:00, durationMinutes: 60 }',
      ),
    ).toEqual(
      Array.from({ length: 10 }, (_, at) => new Date(Date.UTC(2026, 2, 28, 9, 5 * at)).toISOString()),
    );
  });

  it('has events that come again, at the hours of the clock, and over midnight', () => {
    const events = eventsOf(
      '  - { type: theft, feeders: [FEEDER_1], every: { weekdays: [sat, sun, mon], from: "22:00", to: "01:00" } }',
    );
    expect(events.map(({ startAt, endAt }) => [startAt.toISOString(), endAt.toISOString()])).toEqual([
      ['2026-03-28T21:00:00.000Z', '2026-03-29T00:00:00.000Z'],
      ['2026-03-29T20:00:00.000Z', '2026-03-29T23:00:00.000Z'],
      ['2026-03-30T20:00:00.000Z', '2026-03-30T23:00:00.000Z'],
    ]);
  });

  it('begins at the jump of the clock what the clock skips the beginning of', () => {
    const events = eventsOf(
      '  - { type: theft, feeders: [FEEDER_1], every: { weekdays: [sun], from: "02:15", to: "04:00" } }',
    );
    expect(events.map(({ startAt, endAt }) => [startAt.toISOString(), endAt.toISOString()])).toEqual([
      ['2026-03-29T01:00:00.000Z', '2026-03-29T02:00:00.000Z'],
    ]);
  });
});

describe('a bad scenario is refused in one sentence with its line', () => {
  const one = (fields: string): string => scenario(`  - { type: theft, feeders: [FEEDER_1], ${fields} }`);
  it.each([
    ['', 'file, line 1: must be a scenario: an object with scenario, tenantId, meterCount and span.'],
    ['[1, 2', 'file, line 1: is no YAML: '],
    ['a: 1\na: 2', 'file, line 2: is no YAML: Map keys must be unique.'],
    [
      one('day: 0, durationMinutes: 60, severity: 2'),
      'file, line 8: events.0.severity must be a number from 0 to 1.',
    ],
    [
      one('day: 0, durationMinutes: 60, severity: 0'),
      'file, line 8: events.0.severity must be over 0: with 0 nothing happens.',
    ],
    [
      one('day: 0, durationMinutes: 60, sevrity: 1'),
      'file, line 8: events.0.sevrity is not a field of a scenario.',
    ],
    [one('day: 0'), 'file, line 8: events.0.durationMinutes must be a whole number from 1 to 43200.'],
    [
      one('durationMinutes: 60'),
      'file, line 8: events.0.day must be given, or startAt, or every: an event has a time.',
    ],
    [
      one('day: 4, durationMinutes: 60'),
      'file, line 8: events.0.day must make every event begin within the span',
    ],
    [
      one('day: 0, startAt: 2026-03-28T00:00:00Z, durationMinutes: 60'),
      'file, line 8: events.0.day must not be given together with startAt.',
    ],
    [
      one('every: { from: "25:00", to: "01:00" }'),
      'file, line 8: events.0.every.from must be a time of the fleet’s clock',
    ],
    [
      one('every: { weekdays: [wed], from: "05:00", to: "06:00" }'),
      'file, line 8: events.0.every must happen at least once in the span.',
    ],
    [
      one('day: 0, durationMinutes: 60, delivery: late'),
      'file, line 8: events.0.delivery is not a field of a scenario.',
    ],
    [one('day: 0, durationMinutes: 60, form: zero'), 'file, line 8: events.0.form must be one of "constant"'],
    [
      one('day: 0, durationMinutes: 60, meterIds: [T-MTR-00002]'),
      'file, line 8: events.0.meterIds.0 must be on a feeder of the event: it is on FEEDER_2.',
    ],
    [
      one('day: 0, durationMinutes: 60, meterIds: [T-MTR-00101]'),
      'file, line 8: events.0.meterIds.0 must be a meter of the fleet',
    ],
    [
      scenario('  - { type: fire, feeders: all }'),
      'file, line 8: events.0.type must be an object whose type is "theft"',
    ],
    [
      scenario('  - { type: theft, feeders: [FEEDER_11], day: 0, durationMinutes: 5 }'),
      'file, line 8: events.0.feeders.0 must be one of the fleet’s feeders, FEEDER_1 to FEEDER_10.',
    ],
    [
      scenario('  []', 'span: { from: 2026-02-30, days: 4 }'),
      'file, line 6: span.from must be a day of the fleet’s clock',
    ],
    [
      scenario('  []', 'span: { from: 2026-02-20, days: 0 }'),
      'file, line 6: span.days must be a whole number from 1 to 3660.',
    ],
    [
      scenario('  []').replace('meterCount: 100', 'meterCount: 25001'),
      'file, line 3: meterCount must be a whole number from 1 to 25000.',
    ],
    [
      scenario('  []').replace('Europe/Berlin', 'Europe/Bonn'),
      'file, line 5: timeZone must be a time zone of the IANA database',
    ],
    [
      scenario('  - &a { type: theft, feeders: all, day: 0, durationMinutes: 1 }\n  - *a'),
      'file cannot be read: ',
    ],
  ])('%#', (text, sentence) => {
    expect(() => readScenario(text, 'file')).toThrow(sentence);
  });
});
