import { describe, expect, it } from 'vitest';
import { MappingTextError, parseMappingText, proposalAsYaml } from '../../src/imports/mappingText.js';
import { proposeMapping } from '../../src/intervalFiles/csv/propose.js';

const LINES = ['Meter,Start,Usage (kWh)', 'A,01/02/2026 00:00,1.25', 'A,01/02/2026 00:15,1.25'].map(
  (text, index) => ({ text, number: index + 1 }),
);

describe('a mapping as YAML', () => {
  it('says what each field rests on, asks what is open, and is read again once that is answered', () => {
    const proposed = proposeMapping(LINES);
    const text = proposalAsYaml(proposed);
    expect(text).toContain('# the column is called Meter\nmeterColumn: Meter');
    expect(text).toContain('# dateOrder: ');
    const answered = text
      .replace('# dateOrder: ', 'dateOrder: mdy')
      .replace('# zone: ', 'zone: America/New_York');
    const complete = proposeMapping(LINES, parseMappingText(answered));
    expect(complete.open).toEqual([]);
    expect(complete.mapping).toEqual({ ...proposed.mapping, dateOrder: 'mdy', zone: 'America/New_York' });
  });

  it('is read as nothing where it is empty', () => {
    expect(parseMappingText('# nothing\n')).toEqual({});
  });

  it.each([
    ['zone: Mars/Olympus', 'zone'],
    ['minutes: 7.5', 'minutes'],
    ['dateOrder: usa', 'dateOrder'],
    ['colour: red', 'colour'],
    ['values: [{ column: a, channel: kwh, unit: kW }]', 'values.0.unit'],
    ['zone: [', 'YAML'],
    ['zone: UTC\nzone: UTC', 'YAML'],
    ['a: &a [x]\nb: *a', 'alias'],
    ['- a', 'text'],
  ])('refuses %j, and names what is wrong', (text, named) => {
    expect(() => parseMappingText(text)).toThrow(MappingTextError);
    expect(() => parseMappingText(text)).toThrow(new RegExp(named, 'i'));
  });
});
