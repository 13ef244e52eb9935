import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { detectFormat } from '../../src/intervalFiles/detectFormat.js';

const headOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../data/interval-files/${name}`, import.meta.url)), 'utf8').slice(
    0,
    4_000,
  );

describe('the format by content', () => {
  it.each([
    ['nem12-15min.csv', 'nem12'],
    ['nem12-5min.csv', 'nem12'],
    ['greenbutton-15min-forward-reverse.xml', 'espi'],
    ['greenbutton-hourly-two-usage-points.xml', 'espi'],
    ['long-interval-end-us.csv', 'csv'],
    ['wide-96-columns-local.csv', 'csv'],
    ['wide-100-columns-repeated-names.csv', 'csv'],
  ])('finds that %s is %s', (name, format) => {
    expect(detectFormat(headOf(name))).toEqual({ format });
  });

  it('finds CMEP', () => {
    expect(detectFormat('MEPMD01,20080501,UTIL,,VEND,,202611021515,M0007')).toEqual({ format: 'cmep' });
  });

  it.each([
    '',
    '<html><body>Sign in</body></html>',
    '<a/>',
    '{"a":1}',
    "UNA:+.? 'UNB+UNOC",
    '100,NEM13,x',
    'just words',
  ])('says why %j is none', (text) => {
    expect(detectFormat(text)).toHaveProperty('refusal');
  });
});
