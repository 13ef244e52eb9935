import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';

const ONE = '/api/ami/import-mappings/utility-a?tenantId=T';

describe('saved mappings', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
  });
  afterAll(() => deployment.close());
  const put = (body: string, type = 'application/yaml') =>
    deployment.http.put(ONE).set(BEARER).type(type).send(body);

  it('are saved as YAML or JSON, asked for as both, and forgotten', async () => {
    const yaml = '# of 2026\nzone: America/New_York\n';
    expect((await put(yaml)).body).toMatchObject({ ok: true, yaml, mapping: { zone: 'America/New_York' } });
    expect((await put('{"unit":"kWh"}', 'application/json')).body.yaml).toBe('unit: kWh\n');
    expect((await deployment.http.get(ONE)).body).toMatchObject({
      name: 'utility-a',
      mapping: { unit: 'kWh' },
    });
    const list = await deployment.http.get('/api/ami/import-mappings?tenantId=T');
    expect(list.body.mappings).toMatchObject([{ name: 'utility-a', yaml: 'unit: kWh\n' }]);
    expect((await deployment.http.get('/api/ami/import-mappings?tenantId=U')).body.mappings).toEqual([]);
    expect((await deployment.http.delete(ONE).set(BEARER)).status).toBe(200);
    expect((await deployment.http.delete(ONE).set(BEARER)).status).toBe(404);
    expect((await deployment.http.get(ONE)).status).toBe(404);
  });

  it.each([
    ['unit: [', 'application/yaml', 400, 'The mapping is no YAML'],
    ['zone: Nowhere', 'application/yaml', 400, "The mapping's zone must be a time zone"],
    ['{"zone":"Nowhere"}', 'application/json', 400, "The mapping's zone must be a time zone"],
    ['x: 1', 'application/yaml', 400, "The mapping's"],
    ['# '.padEnd(110_000, 'x'), 'application/yaml', 413, 'The body must be at most 100 kB.'],
  ])('%.20s is refused', async (body, type, status, sentence) => {
    const answer = await put(body, type);
    expect([answer.status, answer.body.error]).toEqual([status, expect.stringContaining(sentence)]);
  });

  it('need a key to be changed', async () => {
    expect((await deployment.http.put(ONE).send({})).status).toBe(401);
    expect((await deployment.http.delete(ONE)).status).toBe(401);
  });
});
