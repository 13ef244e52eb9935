import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/reference/document.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';
import { routesOf } from '../support/reference.js';
import { hasBrowser, picture, type Visit, visit } from './browser.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

describe.skipIf(!hasBrowser)('the API reference in a browser', () => {
  let deployment: Deployment;
  let seen: Visit;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
    seen = await visit(deployment.app);
  });
  afterAll(async () => {
    await seen?.close();
    await deployment?.close();
  });
  const routes = routesOf(openApiDocument('0.0.0'));

  it('is linked by the dashboard, and shows every operation', async () => {
    const page = await seen.open('/');
    await page.getByRole('link', { name: 'API reference' }).click();
    await page.waitForURL('**/docs');
    await expect.poll(() => page.locator('.opblock').count()).toBe(routes.length);
    const shown = await page.locator('.opblock').evaluateAll((blocks) =>
      blocks.map((block) => {
        const words = (name: string) => block.querySelector(`.opblock-summary-${name}`)?.textContent;
        return `${words('method')} ${words('path')?.replaceAll('\u200b', '')}`;
      }),
    );
    expect(shown.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
    await picture(page, 'docs');
    await page.context().close();
  });

  it('shows fields, codes and examples of an operation, and sends a request with a key', async () => {
    const page = await seen.open('/docs#/Publishing/publishOnce');
    const block = page.locator('#operations-Publishing-publishOnce');
    await block.getByText('Accepts the reads of one interval').waitFor();
    for (const code of ['200', '202', '400', '401', '403', '413', '415', '429', '503'])
      expect(await block.locator(`tr.response[data-code="${code}"]`).count(), code).toBe(1);
    await picture(page, 'docs-operation');

    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.getByLabel('auth-bearer-value').first().fill(API_KEY);
    await page.getByRole('button', { name: 'Apply credentials' }).first().click();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByRole('textbox').first().fill('{"tenantId":"DOCS","dryRun":true}');
    await block.getByRole('button', { name: 'Execute' }).click();
    await block.locator('.live-responses-table').getByText('"computedMeters"').first().waitFor();
    await page.context().close();
  });

  it.each([
    ['the list', '/docs'],
    ['an operation', '/docs#/Publishing/publishOnce'],
  ])('%s: axe finds nothing serious', async (_what, path) => {
    const page = await seen.open(path);
    await expect.poll(() => page.locator('.opblock').count()).toBe(routes.length);
    await page.evaluate(AXE);
    const violations = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Violation[];
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(
      serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' ')}`),
    ).toEqual([]);
    await page.context().close();
  });

  it('has asked no other host for anything, and kept to the security policy of all pages', async () => {
    expect(seen.elsewhere).toEqual([]);
    expect(seen.complaints).toEqual([]);
    const policyOf = async (path: string) =>
      (await deployment.http.get(path)).headers['content-security-policy'];
    expect(await policyOf('/docs')).toBe(await policyOf('/'));
  });
});
