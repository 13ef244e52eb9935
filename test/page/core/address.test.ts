import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MEASURES, readAddress, type View, writeAddress } from '../../../page/core/address.js';
import { LASTING, type Lasting, LONGEST, spanOf, stepped } from '../../../page/core/spans.js';

const parsed = (url: string) => {
  const { pathname, search } = new URL(url, 'http://localhost');
  return readAddress(pathname, search);
};
const QUARTER = 900_000;
const HOUR = 4 * QUARTER;

describe('the address', () => {
  const id = fc
    .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
    .filter((text) => !/^\.+$/.test(text));
  const view: fc.Arbitrary<View> = fc.oneof(
    fc.constantFrom<View>({ name: 'overview' }, { name: 'events' }, { name: 'automatic' }),
    fc.record({ name: fc.constantFrom('feeder' as const, 'meter' as const), id }),
  );
  const span = fc.oneof(
    fc.record({ last: fc.constantFrom(...(Object.keys(LASTING) as Lasting[])) }),
    fc
      .tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: LONGEST }))
      .map(([from, length]) => ({ from, to: from + length })),
  );

  it('is read as it was written, whatever a feeder is called', () => {
    fc.assert(
      fc.property(
        fc.record({ view, tenant: fc.option(id), span, measure: fc.constantFrom(...MEASURES) }),
        (address) => {
          expect(parsed(writeAddress(address))).toEqual(address);
        },
      ),
    );
  });

  it('is short where everything is as usual', () => {
    expect(writeAddress(parsed('/'))).toBe('/');
    expect(writeAddress(parsed('/feeders/FEEDER_7?tenant=T&span=7d'))).toBe(
      '/feeders/FEEDER_7?tenant=T&span=7d',
    );
  });

  it.each([
    ['/feeders', 'unknown'],
    ['/feeders/a/b', 'unknown'],
    ['/feeders/%', 'unknown'],
    ['/nothing', 'unknown'],
    ['/events/', 'events'],
  ])('%s is %s', (path, name) => {
    expect(readAddress(path, '').view.name).toBe(name);
  });

  it.each(['span=9y', 'from=now&to=then', 'from=2026-01-02&to=2026-01-01', 'from=2020-01-01&to=2026-01-01'])(
    'takes the last day for %s',
    (query) => {
      expect(readAddress('/', query).span).toEqual({ last: '24h' });
    },
  );
});

describe('a span', () => {
  const now = Date.parse('2026-11-28T14:07:00Z');

  it('that moves ends with the running quarter hour', () => {
    const { from, to } = spanOf({ last: '6h' }, now);
    expect(new Date(to).toISOString()).toBe('2026-11-28T14:15:00.000Z');
    expect(to - from).toBe(6 * HOUR);
  });

  it('is stepped back by its length, and forth until it moves with the clock again', () => {
    const back = stepped({ last: '6h' }, -1, now);
    expect(spanOf(back, now).to).toBe(spanOf({ last: '6h' }, now).from);
    expect(stepped(stepped(back, -1, now), 1, now)).toEqual(back);
    expect(stepped(back, 1, now)).toEqual({ last: '6h' });
  });
});
