import { describe, expect, it } from 'vitest';
import { hasPlace, MODELS } from '../../src/contracts/emulation.js';
import { PLACE_NAMES, type Place } from '../../src/contracts/places.js';
import { dayKind, HOLIDAY, SATURDAY, SUNDAY, WEEKDAY } from '../../src/emulator/calendar/dayKind.js';
import { placeCustomerKwh, placeCustomerOf, sceneOfPlace } from '../../src/emulator/placeModels.js';
import { generateReads, type ReadsRequest } from '../../src/emulator/reads.js';

const day = (text: string) => Date.parse(text) / 86_400_000;
const requestOf = (more: Partial<ReadsRequest> = {}): ReadsRequest => ({
  tenantId: 'T',
  seed: 's',
  readAt: new Date('2026-01-14T18:00:00Z'),
  intervalMinutes: 15,
  timeZone: 'Europe/London',
  fleet: { meterCount: 500, feederCount: 5 },
  from: 0,
  to: 500,
  place: 'uk',
  ...more,
});
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each(MODELS.filter(hasPlace))('model %i of customers', (model) => {
  const request = (more: Partial<ReadsRequest> = {}) => requestOf({ model, ...more });

  it('makes the same reads whatever the batch and whatever was made before', () => {
    const whole = generateReads(request());
    generateReads(request({ readAt: new Date('2024-02-29T23:45:00Z'), place: 'germany' }));
    generateReads(request({ seed: 'other' }));
    for (const other of MODELS) generateReads(request({ model: other }));
    const parts = [0, 7, 250, 499].map((from, index, all) =>
      generateReads(request({ from, to: all[index + 1] ?? 500 })),
    );
    expect(parts.flatMap((part) => part.kwh)).toEqual(whole.kwh);
    expect(parts.flatMap((part) => part.voltage)).toEqual(whole.voltage);
  });

  it('makes an hour of its four quarter hours', () => {
    const hour = generateReads(request({ intervalMinutes: 60 })).kwh;
    const quarters = [0, 15, 30, 45].map(
      (minute) => generateReads(request({ readAt: new Date(Date.UTC(2026, 0, 14, 18, minute)) })).kwh,
    );
    hour.forEach((kwh, meter) => {
      expect(kwh).toBeCloseTo(
        quarters.reduce((sum, part) => sum + (part[meter] as number), 0),
        3,
      );
    });
  });

  it('leaves the first model as it was, with a place or without', () => {
    const first = generateReads({ ...request(), model: 1 });
    const { model: _model, place: _place, ...plain } = request();
    expect(first).toEqual(generateReads(plain));
    for (const other of MODELS.filter((one) => one !== model))
      expect(generateReads(request({ model: other })).kwh).not.toEqual(generateReads(request()).kwh);
  });

  it('differs by place and tenant', () => {
    const kwh = PLACE_NAMES.map((place) => generateReads(request({ place })).kwh.join());
    expect(new Set(kwh).size).toBe(PLACE_NAMES.length);
    expect(generateReads(request({ tenantId: 'U' })).kwh).not.toEqual(generateReads(request()).kwh);
  });

  it.each(PLACE_NAMES)('draws energies that homes, trade and plants in %s can draw', (place) => {
    const first = Date.UTC(2026, 0, 1) / 900_000;
    const scene = sceneOfPlace(model, place, 'UTC', first, 96 * 365, 77);
    const classes = ['residential', 'residential', 'residential', 'commercial', 'industrial'] as const;
    for (let key = 0; key < 120; key += 1) {
      const itsClass = classes[key % classes.length] as (typeof classes)[number];
      const customer = placeCustomerOf(Math.imul(key + 1, 0x9e3779b1) | 0, itsClass, model, place);
      const kwh = Array.from({ length: 2_000 }, (_, step) =>
        placeCustomerKwh(customer, first + ((step * 7919) % (96 * 365)), scene),
      );
      expect(kwh.filter((value) => !(value >= 0))).toEqual([]);
      // 21 kW is half of a 200 A service.
      if (itsClass === 'residential') expect(Math.max(...kwh)).toBeLessThan(25 / 4);
      expect(Math.max(...kwh)).toBeLessThan(2_500);
    }
  });

  it('reads nothing at all of some homes at some hours, and a few watt-hours of others', () => {
    const reads = [3, 4, 5].flatMap(
      (hour) =>
        generateReads(
          request({
            fleet: { meterCount: 3_000, feederCount: 5 },
            to: 3_000,
            readAt: new Date(Date.UTC(2026, 5, 9, hour)),
          }),
        ).kwh,
    );
    expect(reads.filter((kwh) => kwh === 0).length).toBeGreaterThan(10);
    expect(reads.filter((kwh) => kwh > 0 && kwh < 0.01).length).toBeGreaterThan(50);
  });

  it('goes through both changes of the clock without a hole', () => {
    for (const date of [
      '2026-03-29T00:45:00Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T00:45:00Z',
      '2026-10-25T01:30:00Z',
    ]) {
      const kwh = generateReads(request({ readAt: new Date(date) })).kwh;
      expect(kwh).toHaveLength(500);
      expect(mean(kwh)).toBeGreaterThan(0);
    }
  });

  it('refuses a zone that is none', () => {
    expect(() => generateReads(request({ timeZone: 'Mars/Base' }))).toThrow(RangeError);
  });
});

describe('the calendar', () => {
  it.each<[Place, string, number]>([
    ['us-south', '2026-11-26', HOLIDAY],
    ['us-south', '2026-11-25', WEEKDAY],
    ['us-northeast', '2026-07-03', HOLIDAY],
    ['germany', '2026-10-03', HOLIDAY],
    ['germany', '2026-06-04', HOLIDAY],
    ['germany', '2026-12-24', SATURDAY],
    ['germany', '2026-12-31', SATURDAY],
    ['germany', '2028-12-24', SUNDAY],
    ['uk', '2026-08-31', HOLIDAY],
    ['uk', '2026-05-23', SATURDAY],
    ['uk', '2026-05-24', SUNDAY],
    ['australia-nsw', '2026-01-26', HOLIDAY],
    ['australia-nsw', '2026-01-27', WEEKDAY],
  ])('in %s takes %s for what it is', (place, date, kind) => {
    expect(dayKind(place, day(date))).toBe(kind);
  });

  it('has a day begin by the clock of the customers, also in the Americas', () => {
    // Thanksgiving begins at six in the morning UTC in Texas.
    const before = sceneOfPlace(
      2,
      'us-south',
      'America/Chicago',
      Date.UTC(2026, 10, 26, 5, 45) / 900_000,
      1,
      1,
    );
    const after = sceneOfPlace(2, 'us-south', 'America/Chicago', Date.UTC(2026, 10, 26, 6) / 900_000, 1, 1);
    expect([before.kind[0], after.kind[0]]).toEqual([WEEKDAY, HOLIDAY]);
  });

  it('keeps offices shut on a holiday and bakers up before four', () => {
    const load = (kind: string, at: number) => {
      const scene = sceneOfPlace(2, 'germany', 'Europe/Berlin', at, 1, 1);
      const found: number[] = [];
      for (let key = 1; found.length < 40; key += 1) {
        const customer = placeCustomerOf(Math.imul(key, 0x9e3779b1) | 0, 'commercial', 2, 'germany');
        if (customer.trade?.kind === kind)
          found.push(placeCustomerKwh(customer, at, scene) / customer.meanKwh);
      }
      return mean(found);
    };
    const at = (text: string) => Date.parse(text) / 900_000;
    expect(load('office', at('2026-05-14T09:00:00Z'))).toBeLessThan(
      0.7 * load('office', at('2026-05-13T09:00:00Z')),
    );
    expect(load('bakery', at('2026-05-13T02:30:00Z'))).toBeGreaterThan(
      2 * load('bakery', at('2026-05-13T18:00:00Z')),
    );
    expect(load('streetLight', at('2026-06-13T23:00:00Z'))).toBeGreaterThan(
      10 * load('streetLight', at('2026-06-13T11:00:00Z')),
    );
  });
});
