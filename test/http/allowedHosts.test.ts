import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';

const READ = '/api/ami/kpi/quickcheck?tenantId=DEMO_TENANT';
const REFUSED = { status: 421, code: 'misdirected_request' };

describe('the header Host', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
  });
  afterAll(() => deployment.close());

  const asked = async (host: string, { http }: Deployment = deployment, path = READ) => {
    const { status, body } = await http.get(path).set('Host', host);
    return { status, code: body.code };
  };

  it.each(['localhost', 'LOCALHOST:5000', 'a.localhost:5000', '127.0.0.1:5000', '[::1]:5000', '10.20.30.40'])(
    'may be %s: no page of somebody else stands there',
    async (host) => {
      expect(await asked(host)).toMatchObject({ status: 200 });
    },
  );

  it.each([
    'attacker.example',
    'attacker.example:5000',
    'localhost.attacker.example',
    '127.0.0.1.attacker.example',
    'xlocalhost',
    '[::1].example',
  ])('may not be %s on a machine of its own', async (host) => {
    expect(await asked(host)).toEqual(REFUSED);
  });

  it('is refused for a page, its files, metrics, and writes with a key, before anything is looked at', async () => {
    for (const path of ['/', '/docs', '/openapi.json', '/metrics', '/queues', '/nowhere'])
      expect((await deployment.http.get(path).set('Host', 'attacker.example')).status, path).toBe(421);
    const { status } = await deployment.http
      .post('/api/ami/publish-once')
      .set('Host', 'attacker.example')
      .send({});
    expect(status).toBe(421);
  });

  it('is not looked at by the probes, which balancers ask under names of their own', async () => {
    expect(await asked('attacker.example', deployment, '/healthz')).toMatchObject({ status: 200 });
    expect(await asked('attacker.example', deployment, '/readyz')).not.toMatchObject(REFUSED);
  });

  it.each([{ HOST: '0.0.0.0' }, { TRUSTED_PROXY_HOPS: '1' }])(
    'may be any name with %j, where it is not known',
    async (env) => {
      const other = await createDeployment('postgres', env);
      try {
        expect(await asked('gridlens.utility.example', other)).toMatchObject({ status: 200 });
      } finally {
        await other.close();
      }
    },
  );

  it('has to be in ALLOWED_HOSTS where that is set, wherever the API listens', async () => {
    const other = await createDeployment('postgres', {
      HOST: '0.0.0.0',
      ALLOWED_HOSTS: 'gridlens.utility.example, Gridlens',
    });
    try {
      for (const host of ['gridlens.utility.example', 'GRIDLENS:443', 'gridlens.', 'localhost'])
        expect(await asked(host, other), host).toMatchObject({ status: 200 });
      expect(await asked('utility.example', other)).toEqual(REFUSED);
    } finally {
      await other.close();
    }
  });
});
