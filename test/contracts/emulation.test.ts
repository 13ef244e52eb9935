import { describe, expect, it } from 'vitest';
import { batchJob } from '../../src/contracts/batchJob.js';
import { emulationOf, FIRST_EMULATION } from '../../src/contracts/emulation.js';
import { parseRequest } from '../../src/contracts/parseRequest.js';
import { publishOnceRequest } from '../../src/contracts/publishRequest.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { syntheticPublish } from '../support/publishRecords.js';

const NONE = { customers: {}, der: {}, network: {} };

describe('what a request says its reads are made by', () => {
  it('is model 1 for a tenant that has never run, and a place implies model 3', () => {
    expect(emulationOf({})).toEqual(FIRST_EMULATION);
    expect(emulationOf({ place: 'uk' })).toEqual({ model: 3, place: 'uk', ...NONE });
    expect(emulationOf({ model: 2 })).toEqual({ model: 2, place: 'us-south', ...NONE });
    expect(emulationOf({ model: 3 })).toEqual({ model: 3, place: 'us-south', ...NONE });
  });

  it('keeps the model and the place that the tenant has run with until it asks for others', () => {
    const german = { model: 2, place: 'germany' } as const;
    expect(emulationOf({}, german)).toEqual({ ...german, ...NONE });
    expect(emulationOf({ model: 2 }, german)).toEqual({ ...german, ...NONE });
    expect(emulationOf({ place: 'uk' }, german)).toEqual({ model: 2, place: 'uk', ...NONE });
    expect(emulationOf({ model: 3 }, german)).toEqual({ model: 3, place: 'germany', ...NONE });
    expect(emulationOf({ model: 1, climate: 'us' }, german)).toEqual(FIRST_EMULATION);
    expect(emulationOf({}, { model: 1, place: null })).toEqual(FIRST_EMULATION);
  });

  it('keeps to the model of a place that the tenant had before it moved to one without, where a place alone is named', () => {
    const first = { model: 1, place: null } as const;
    expect(emulationOf({ place: 'uk' }, { ...first, placeModel: 2 }).model).toBe(2);
    expect(emulationOf({ place: 'uk' }, { ...first, placeModel: 3 }).model).toBe(3);
    expect(emulationOf({ place: 'uk' }, first).model).toBe(3);
    expect(emulationOf({}, { ...first, placeModel: 2 })).toEqual(FIRST_EMULATION);
  });

  it.each([
    [{ place: 'uk', climate: 'us' }, undefined, /^climate must be left out: model 3 has one, and place uk/],
    [{ model: 2, climate: 'us' }, undefined, /^climate must be left out: model 2 has a place/],
    [{ climate: 'us' }, { model: 2, place: 'uk' }, /^climate must be left out: model 2 has a place/],
    [{ model: 1, place: 'uk' }, undefined, /^place must be left out with model 1/],
  ] as const)('%o of a tenant with %o is refused in one sentence', (wanted, soFar, sentence) => {
    expect(() => emulationOf(wanted, soFar)).toThrow(sentence);
  });

  it('is the same text however it was said: in one order, without what is nothing', () => {
    const one = emulationOf({ der: { ev: 0.1, pv: 0.4, battery: 0 }, oddities: ['stuck', 'unit-error'] });
    const other = emulationOf({ der: { pv: 0.4, ev: 0.1 }, oddities: ['unit-error', 'stuck'] });
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
    expect(one.der).toEqual({ pv: 0.4, ev: 0.1 });
    const trade = emulationOf({ customers: { industrial: 0, commercial: 0.2 } });
    expect(JSON.stringify(trade.customers)).toBe('{"commercial":0.2,"industrial":0}');
  });

  it.each([
    [{ model: 4 }, /^model must be 1, 2 or 3/],
    [{ model: '2' }, /^model must be 1, 2 or 3/],
    [{ place: 'mars' }, /^place must be one of "us-south"/],
    [{ der: 0.4 }, /^der must be an object with shares of homes/],
    [{ der: { pv: 1.5 } }, /^der.pv must be a share of the homes, from 0 to 1/],
    [{ der: { pv: '0.4' } }, /^der.pv must be a share of the homes/],
    [{ der: { pv: -0.1 } }, /^der.pv must be a share of the homes/],
    [{ der: { wind: 1 } }, /^(der\.)?wind is not a field/],
    [{ der: { battery: 0.2, pv: 0.1 } }, /^der.battery must be at most der.pv/],
    [{ customers: 0.2 }, /^customers must be an object with shares of the customers/],
    [
      { customers: { commercial: 0.36 } },
      /^customers.commercial must be a share of the customers, from 0 to 0.35/,
    ],
    [
      { customers: { industrial: '0' } },
      /^customers.industrial must be a share of the customers, from 0 to 0.04/,
    ],
    [{ customers: { homes: 1 } }, /^(customers\.)?homes is not a field/],
    [{ network: 'awful' }, /^network must be one of "good", "poor"/],
    [{ oddities: ['stuck', 'stuck'] }, /^oddities must be a list of/],
    [{ oddities: 'stuck' }, /^oddities must be a list of/],
  ])('%o is refused by its name', (body, sentence) => {
    expect(() => parseRequest(publishOnceRequest, { tenantId: 'T', ...body }, 'The body')).toThrow(sentence);
  });
});

describe('the job of a publish', () => {
  const given = { tenantId: 'T', readAt: new Date('2026-06-01T10:00:00Z'), meterCount: 100 };

  it('is as it was before there was a choice, with model 1 and nothing behind the meters', () => {
    const payload = batchPayload(syntheticPublish({ ...given, emulation: FIRST_EMULATION }), 0);
    expect(payload).toEqual(batchPayload(syntheticPublish({ ...given, publishId: payload.publishId }), 0));
    expect(payload).not.toHaveProperty('emulated');
    expect(batchJob.parse(payload).emulation).toBeUndefined();
  });

  it('carries what else makes its reads, late deliveries included, where an older worker finds no fleet', () => {
    const emulation = emulationOf({ place: 'uk', der: { pv: 1, battery: 0.5 }, network: 'poor' });
    const instant = new Date('2026-06-01T12:00:00Z');
    for (const late of [{}, { lateAsOf: instant, knownAt: instant }]) {
      const payload = JSON.parse(
        JSON.stringify(batchPayload(syntheticPublish({ ...given, emulation, ...late }), 0)),
      );
      expect(payload).not.toHaveProperty('fleet');
      expect(payload).not.toHaveProperty('late');
      const job = batchJob.parse(payload);
      expect(job).toMatchObject({ emulation, fleet: { meterCount: 100, feederCount: 10 } });
      expect(job.late !== undefined).toBe('lateAsOf' in late);
    }
  });
});
