import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Running } from '../../src/process/lifecycle.js';
import { describeOnBothBackends } from '../support/backends.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';
import { hasBrowser, picture, type Visit, visit } from './browser.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TENANT = 'DEMO_TENANT';
const QUARTER_HOUR = 900_000;
const VIEWS = {
  overview: '/',
  feeder: '/feeders/FEEDER_7',
  meter: `/meters/${TENANT}-MTR-00007`,
  events: '/events',
  automatic: '/automatic',
};

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

describeOnBothBackends('the dashboard', (backend) => {
  describe.skipIf(!hasBrowser)('in a browser', () => {
    let deployment: Deployment;
    let worker: Running;
    let seen: Visit;
    /** The deployment begins a quarter hour ago, so that the next interval comes when the demo wants it. */
    let behind = QUARTER_HOUR;
    beforeAll(async () => {
      deployment = await createDeployment(backend, {}, () => new Date(Date.now() - behind));
      worker = await deployment.startWorker();
      seen = await visit(deployment.app);
    });
    afterAll(async () => {
      await seen?.close();
      await worker?.stop();
      await deployment?.close();
    });

    const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
    const goTo = (page: Page, name: string) =>
      page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name }).click();
    const noticed = (page: Page, words: string | RegExp) =>
      page.getByRole('list', { name: 'What was done' }).getByText(words).first().waitFor();
    const inject = async (page: Page, type: string, feeder: string): Promise<void> => {
      await goTo(page, 'Events');
      await button(page, type).click();
      await page.getByRole('combobox', { name: 'Feeder', exact: true }).selectOption(feeder);
      await button(page, `Inject ${type.toLowerCase()}`).click();
    };
    /** What the canvas of the map shows, as one text. */
    const drawn = (page: Page): Promise<string> =>
      page.evaluate("document.querySelector('.heat-map canvas')?.toDataURL() ?? ''");

    it('shows the whole demo with the mouse alone, from nothing to a theft that is seen and ended', async () => {
      const page = await seen.open('/');
      await page.getByRole('heading', { name: 'Nothing has been published yet' }).waitFor();
      await picture(page, `${backend}-1-nothing`);
      await page.getByRole('combobox', { name: 'Meters', exact: true }).selectOption('500');
      await button(page, 'Start').click();

      await pasteKey(page, 'not-the-key-of-this-deployment');
      await page.getByRole('alert').getByText('is not the one this deployment was started with').waitFor();
      await picture(page, `${backend}-2-wrong-key`);
      await pasteKey(page, API_KEY);

      // The past is filled in, and the charts move by themselves.
      await page.locator('.heat-map canvas').waitFor();
      const before = await drawn(page);
      await expect.poll(() => drawn(page), { timeout: 60_000 }).not.toBe(before);
      expect(await page.locator('.heat-map-rows li').count()).toBe(25);
      await picture(page, `${backend}-3-filling`);

      await inject(page, 'Theft', 'FEEDER_7');
      await noticed(page, /^Theft on FEEDER_7 shows in .*: loss .* → (7|8)\d\.\d\d %/);
      await goTo(page, 'Overview');
      await page
        .locator('.legend-entry')
        .filter({ hasText: /FEEDER_7 8\d\.\d\d %/ })
        .waitFor();
      await page
        .getByRole('region', { name: 'Suspicious meters' })
        .getByText(/is missing, where technical loss/)
        .first()
        .waitFor();

      await inject(page, 'Voltage sag', 'FEEDER_12');
      await noticed(page, /^Voltage sag on FEEDER_12 shows in .*: lowest voltage/);
      await inject(page, 'Comms outage', 'FEEDER_3');
      await noticed(page, /^Comms outage on FEEDER_3 /);
      await picture(page, `${backend}-4-events`);

      // The next quarter hour comes by itself, with the outage in it.
      behind = 0;
      await goTo(page, 'Overview');
      const crew = page.getByRole('region', { name: 'Field operations' });
      await crew.getByText(/meters silent in the interval/).waitFor({ timeout: 120_000 });
      // Any feeder may have a low transformer of its own today, so the one with the sag is named.
      const sagging = crew.getByRole('row').filter({ hasText: 'FEEDER_12' });
      await sagging.getByText(/below 114 V/).waitFor();
      await button(page, 'Reporting').click();
      await page.locator('.legend-entry').filter({ hasText: 'FEEDER_3' }).waitFor();
      await picture(page, `${backend}-5-outage`);

      await goTo(page, 'Events');
      const active = page.getByRole('region', { name: 'Active and scheduled' });
      for (let left = 3; left > 0; left -= 1) {
        await expect.poll(() => active.getByRole('button', { name: /^End / }).count()).toBe(left);
        await active.getByRole('button', { name: /^End / }).first().click();
      }
      await active.getByText('No events.').waitFor();
      await goTo(page, 'Automatic');
      await button(page, 'Stop').click();
      await page.getByRole('heading', { name: 'Off' }).waitFor();
      await page.context().close();
    });

    describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
      let eventId: string;
      beforeAll(async () => {
        const sag = { tenantId: TENANT, feederId: 'FEEDER_12', durationMinutes: 60 };
        eventId = (await deployment.post('/api/ami/event/voltage-sag', sag)).body.event.id;
      });
      afterAll(async () => {
        await deployment.post(`/api/ami/event/${eventId}/stop`, {});
      });

      it.each(Object.entries(VIEWS))('%s: axe finds nothing serious', async (name, path) => {
        const page = await seen.open(`${path}?tenant=${TENANT}`, { colorScheme });
        await settled(page);
        await picture(page, `${backend}-${name}-${colorScheme}`);
        // By the debugger and not by a tag, which the page's own policy would refuse.
        await page.evaluate(AXE);
        const violations = (await page.evaluate(
          'axe.run().then(({ violations }) => violations)',
        )) as Violation[];
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(
          serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`),
        ).toEqual([]);
        await page.context().close();
      });
    });

    it.each([
      [360, 740],
      [1920, 1080],
    ])('fits into %d pixels', async (width, height) => {
      for (const [name, path] of Object.entries(VIEWS)) {
        const page = await seen.open(`${path}?tenant=${TENANT}`, { viewport: { width, height } });
        await settled(page);
        await picture(page, `${backend}-${name}-${width}`);
        expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBe(width);
        await page.context().close();
      }
    });

    it('gives each chart its table and a CSV', async () => {
      const page = await seen.open(`/feeders/FEEDER_7?tenant=${TENANT}`);
      await settled(page);
      const charts = await page.getByRole('button', { name: /as CSV$/ }).count();
      expect(charts).toBe(4);
      await page.getByRole('button', { name: 'Loss as a table' }).click();
      const region = page.getByRole('region', { name: 'Loss', exact: true });
      expect(await region.getByRole('row').count()).toBeGreaterThan(5);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Loss as CSV' }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^Loss-FEEDER_7-DEMO_TENANT-\d{4}-\d\d-\d\d\.csv$/);
      await page.context().close();
    });

    it('is walked through by keyboard: to a feeder by its cell in the map', async () => {
      const page = await seen.open(`/?tenant=${TENANT}`);
      await page.getByRole('application').focus();
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowLeft']) await page.keyboard.press(key);
      await page.locator('.readout').getByText('FEEDER_2').waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'FEEDER_2' }).waitFor();
      await page.goBack();
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      await page.context().close();
    });

    it('says that polls fail, and that they do again', async () => {
      const page = await seen.open(`/?tenant=${TENANT}`);
      await settled(page);
      await page.route('**/api/ami/**', (route) => route.abort());
      await page.getByText(/Not up to date since/).waitFor();
      await picture(page, `${backend}-failing`);
      await page.unroute('**/api/ami/**');
      await page.getByText(/Not up to date since/).waitFor({ state: 'detached' });
      await page.context().close();
    });

    it('has asked no other host for anything, and kept to the security policy', () => {
      expect(seen.elsewhere).toEqual([]);
      expect(seen.complaints).toEqual([]);
    });
  });
});

async function pasteKey(page: Page, key: string): Promise<void> {
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(key)})`);
  await page.getByRole('button', { name: 'Paste from clipboard' }).click();
  await page.getByRole('button', { name: 'Use this key' }).click();
}

/** Nothing is loading any more. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await expect.poll(() => page.locator('.loading').count(), { timeout: 30_000 }).toBe(0);
}
