import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';

describe('security headers', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    deployment.app.set('trust proxy', 'loopback');
  });
  afterAll(() => deployment.close());

  const policyOf = (headers: Record<string, string>) =>
    Object.fromEntries(
      (headers['content-security-policy'] ?? '')
        .split(';')
        .map((rule) => rule.trim().split(' '))
        .map(([name, ...sources]) => [name, sources.join(' ')]),
    );

  it('H8: over plain http, under any name, nothing sends the browser to https', async () => {
    for (const host of ['localhost', 'gridlens.utility.example', '10.20.30.40']) {
      const { headers } = await deployment.http.get('/healthz').set('Host', host);
      expect(headers['strict-transport-security'], host).toBeUndefined();
      expect(headers['content-security-policy'], host).not.toContain('upgrade-insecure-requests');
      expect(headers['cross-origin-opener-policy'], host).toBeUndefined();
      expect(headers['origin-agent-cluster'], host).toBeUndefined();
    }
  });

  it('H8: over https, which a trusted proxy tells of, the browser stays there, at this name alone', async () => {
    const { headers } = await deployment.http.get('/healthz').set('X-Forwarded-Proto', 'https');
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
  });

  it('H8: what anybody says of https is not believed', async () => {
    const other = await createDeployment('postgres');
    try {
      const { headers } = await other.http.get('/healthz').set('X-Forwarded-Proto', 'https');
      expect(headers['strict-transport-security']).toBeUndefined();
    } finally {
      await other.close();
    }
  });

  it('H8: a page of this process may use scripts and data of this process, and nothing else', async () => {
    for (const path of ['/healthz', '/api/ami/status', '/nowhere']) {
      const { headers } = await deployment.http.get(path);
      expect(policyOf(headers), path).toEqual({
        'default-src': "'none'",
        'script-src': "'self'",
        'style-src': "'self'",
        'img-src': "'self' data:",
        'font-src': "'self'",
        'connect-src': "'self'",
        'base-uri': "'none'",
        'form-action': "'none'",
        'frame-ancestors': "'none'",
      });
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
    }
  });
});
