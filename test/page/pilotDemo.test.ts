import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Running } from '../../src/process/lifecycle.js';
import { describeOnBothBackends } from '../support/backends.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';
import { hasBrowser, picture, type Visit, visit } from './browser.js';

const RUNBOOK = readFileSync(new URL('../../docs/PILOT_RUNBOOK.md', import.meta.url), 'utf8');

/** What a step of the runbook says to do by mouse: its prose without commands, what they print, and what is said. */
function wordsOf(title: string): string {
  const [, section] = RUNBOOK.split(`### ${title}\n`);
  const own = section?.split(/^#{2,3} /m)[0] ?? '';
  return own.replace(/^```[\s\S]*?^```$/gm, '').replace(/^>.*$/gm, '');
}

/** The controls of a step in the order in which it names them. */
const controlsOf = (title: string): string[] =>
  [...wordsOf(title).matchAll(/\*\*(.+?)\*\*/g)].map((match) => match[1] ?? '');

/** A hand on the mouse that keeps to a step's words: what it uses and enters must stand there, in this order. */
function handOn(page: Page, title: string) {
  const used: string[] = [];
  const use = (name: string): void => {
    if (used.at(-1) !== name) used.push(name);
  };
  const mustSay = (value: string): void => expect(wordsOf(title), title).toContain(value);
  return {
    used,
    async goTo(view: string) {
      use(view);
      await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
    },
    async press(name: string, within: Page | Locator = page) {
      use(name);
      await within
        .getByRole(/^FEEDER_/.test(name) ? 'link' : 'button', { name, exact: true })
        .first()
        .click();
    },
    async choose(name: string, value: string, within: Page | Locator = page) {
      use(name);
      mustSay(`\`${value}\``);
      await within.getByRole('combobox', { name, exact: true }).selectOption({ label: value });
    },
    async type(name: string, value: string) {
      use(name);
      mustSay(`\`${value}\``);
      await page.getByRole('textbox', { name, exact: true }).fill(value);
    },
    async drag(name: string, to: number) {
      use(name);
      mustSay(`to ${to.toFixed(2)}`);
      await page.getByRole('slider', { name }).fill(String(to));
    },
    async endOne(of: Locator) {
      use('End now');
      await of.getByRole('button', { name: /^End / }).first().click();
    },
  };
}

/** The two-minute and the ten-minute demo of the runbook, step by step as it has them, in one tab. */
describeOnBothBackends('the demos of the runbook', (backend) => {
  describe.skipIf(!hasBrowser)('with the mouse', () => {
    let deployment: Deployment;
    let worker: Running;
    let seen: Visit;
    let page: Page;
    beforeAll(async () => {
      deployment = await createDeployment(backend);
      worker = await deployment.startWorker();
      seen = await visit(deployment.app);
      page = await seen.open('/');
    });
    afterAll(async () => {
      await seen?.close();
      await worker?.stop();
      await deployment?.close();
    });

    const region = (name: string): Locator => page.getByRole('region', { name, exact: true });
    const noticed = (words: RegExp): Promise<void> =>
      page.getByRole('list', { name: 'What was done' }).getByText(words).first().waitFor();
    const inLegend = (words: RegExp): Promise<void> =>
      page.locator('.legend-entry').filter({ hasText: words }).first().waitFor();
    const counted = (all: Locator) => expect.poll(() => all.count(), { timeout: 60_000 });
    const inMap = (feeder: string): Locator =>
      page.locator('.heat-map-rows li').filter({ hasText: new RegExp(`^${feeder}\\b`) });

    const figure = (name: string): Locator =>
      region('Validation')
        .locator('.figure')
        .filter({ hasText: new RegExp(`^${name}`) });
    /** Of FEEDER_3 in the last ten hours, the lowest first. */
    const completeness = async (): Promise<number[]> => {
      const from = new Date(Math.floor(Date.now() / 900_000) * 900_000 - 10 * 3_600_000).toISOString();
      const to = new Date(Date.now() + 900_000).toISOString();
      const query = new URLSearchParams({ tenantId: 'LIVE_TENANT', from, to, resolution: 'interval' });
      const answer = await fetch(`${seen.origin}/api/ami/kpi/feeders/FEEDER_3/intervals?${query}`);
      const { completenessPct } = (await answer.json()) as { completenessPct: (number | null)[] };
      return completenessPct.filter((value) => value !== null).toSorted((a, b) => a - b);
    };

    type Hand = ReturnType<typeof handOn>;
    const STEPS: Record<string, (hand: Hand) => Promise<void>> = {
      'One: start': async (hand) => {
        await page.getByRole('heading', { name: 'Nothing has been published yet' }).waitFor();
        await hand.type('Tenant', 'LIVE_TENANT');
        await hand.press('Start');
        await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(`${API_KEY}\n`)})`);
        await hand.press('Paste from clipboard');
        await hand.press('Use this key');
        await region('Latest complete interval').getByText('of 2,000 · 100 %').waitFor();
        await counted(page.locator('.heat-map-rows li')).toBe(25);
      },

      'Two: inject': async (hand) => {
        await hand.goTo('Events');
        await hand.press('Theft');
        await hand.choose('Feeder', 'FEEDER_7');
        await hand.press('Inject theft');
      },

      'Three: refresh': async (hand) => {
        await noticed(/^Theft on FEEDER_7 shows in .*: loss .* → 8\d\.\d\d %/);
        await hand.goTo('Overview');
        await inLegend(/FEEDER_7 8\d\.\d\d %/);
        const meters = region('Suspicious meters');
        await meters
          .getByText(/is missing, where technical loss/)
          .first()
          .waitFor();
        await picture(page, `${backend}-runbook-two-minutes`);
        await hand.goTo('Automatic');
        await hand.press('Stop');
        await page.getByRole('heading', { name: 'Off' }).waitFor();
      },

      'Step 1: start': async () => {
        const address = /`http:\/\/localhost:5000(\/automatic\S*)`/.exec(wordsOf('Step 1: start'))?.[1];
        await page.goto(`${seen.origin}${address}`);
        await page.getByRole('heading', { name: 'Off' }).waitFor();
        await region('Backfills').getByText('None yet.').waitFor();
      },

      'Step 2: the baseline': async (hand) => {
        await hand.choose('Fill in the last', '15 minutes', region('Backfills'));
        await hand.choose('Meters', '25,000', region('Backfills'));
        await hand.press('Fill in', region('Backfills'));
        await region('Backfills').getByText('1 of 1 intervals · done').waitFor({ timeout: 120_000 });
        await hand.goTo('Overview');
        await region('Latest complete interval').getByText('of 25,000 · 100 %').waitFor();
        await region('Suspicious meters')
          .getByText(/^None:/)
          .waitFor();
      },

      'Step 3: theft on FEEDER_7': async (hand) => {
        await hand.goTo('Events');
        await hand.press('Theft');
        await hand.choose('Feeder', 'FEEDER_7');
        await hand.press('Inject theft');
        await noticed(/^Theft on FEEDER_7 shows in .*: loss \d\.\d\d % → 8\d\.\d\d %/);
        await hand.goTo('Overview');
        await inLegend(/FEEDER_7 8\d\.\d\d %/);
        const rows = region('Suspicious meters').getByRole('row');
        await counted(rows.filter({ hasText: 'FEEDER_7' })).toBe(10);
      },

      'Step 4: a few thieves among many': async (hand) => {
        await hand.goTo('Events');
        await hand.press('Theft');
        await hand.choose('Feeder', 'FEEDER_15');
        await hand.choose('Meters', 'A tenth of the meters');
        await hand.press('Inject theft');
        await noticed(/^Theft on FEEDER_15 shows in .*: loss \d\.\d\d % → [12]\d\.\d\d %/);
        await hand.goTo('Overview');
        await hand.press('FEEDER_15', inMap('FEEDER_15'));
        const suspicious = region('Meters').getByText('suspicious', { exact: true });
        // A page has fifty. Of a hundred thieves some use too little in a quarter hour to be found.
        await counted(suspicious).toBe(50);
      },

      'Step 5: voltage sag on FEEDER_12': async (hand) => {
        await hand.goTo('Events');
        await hand.press('Voltage sag');
        await hand.choose('Feeder', 'FEEDER_12');
        await hand.press('Inject voltage sag');
        await noticed(/^Voltage sag on FEEDER_12 shows in .*: lowest voltage 1\d\d\.\d V → 9\d\.\d V/);
        await hand.goTo('Overview');
        const first = region('Field operations').getByRole('row').nth(1);
        await first.getByText(/^1000 meters below 114 V/).waitFor();
        await first.getByText('FEEDER_12').waitFor();
        await hand.press('Lowest voltage');
        await inLegend(/FEEDER_12 9\d\.\d V/);
      },

      'Step 6: comms outage on FEEDER_3, and the next interval': async (hand) => {
        await hand.goTo('Events');
        await hand.press('Comms outage');
        await hand.choose('Feeder', 'FEEDER_3');
        await hand.drag('Severity', 0.7);
        await hand.press('Inject comms outage');
        await noticed(/^Comms outage on FEEDER_3 /);
        await hand.goTo('Automatic');
        await hand.choose('Catch up', 'the running one');
        await hand.press('Start automatic mode');
        await hand.goTo('Overview');
        const silent = region('Field operations').getByText(/ of 1000 meters silent in the interval/);
        await silent.waitFor({ timeout: 120_000 });
        await region('Latest complete interval')
          .getByText(/of 25,000 · 97\.\d\d %/)
          .waitFor();
        await region('Field operations').getByRole('row').nth(1).getByText('FEEDER_12').waitFor();
        await hand.press('Reporting');
        await inLegend(/FEEDER_3 [23]\d\.\d\d %/);
        await picture(page, `${backend}-runbook-ten-minutes`);
      },

      'Step 7: end it': async (hand) => {
        await hand.goTo('Events');
        const active = region('Active and scheduled');
        for (let left = 4; left > 0; left -= 1) {
          await counted(active.getByRole('button', { name: /^End / })).toBe(left);
          await hand.endOne(active);
        }
        await active.getByText('No events.').waitFor();
        await hand.goTo('Automatic');
        await hand.press('Stop');
        await page.getByRole('heading', { name: 'Off' }).waitFor();
      },

      'Late data: the gap': async (hand) => {
        const address = /`http:\/\/localhost:5000(\/events\S*)`/.exec(wordsOf('Late data: the gap'))?.[1];
        const filled = async () => {
          const answer = await fetch(`${seen.origin}/api/ami/backfills?tenantId=LIVE_TENANT`);
          const { backfills } = (await answer.json()) as { backfills: { state: string }[] };
          return backfills.map(({ state }) => state);
        };
        await expect.poll(filled, { timeout: 120_000 }).toEqual(['done']);
        await page.goto(`${seen.origin}${address}`);
        await hand.press('Comms outage');
        await hand.choose('Feeder', 'FEEDER_3');
        await hand.choose('Begins', '8 hours before it');
        await hand.choose('Lasts', '24 hours');
        await hand.choose('Reads', 'arrive after it');
        await hand.press('Inject comms outage');
        await noticed(/^Comms outage on FEEDER_3 /);
        await hand.goTo('Automatic');
        await hand.choose('Fill in the last', '12 hours', region('Backfills'));
        await hand.press('Fill in', region('Backfills'));
        await expect.poll(filled, { timeout: 240_000 }).toEqual(['done', 'done']);
        await hand.goTo('Overview');
        await hand.press('Reporting');
        await inMap('FEEDER_3').waitFor();
        const [lowest] = await completeness();
        expect(lowest).toBeLessThan(60);
        await picture(page, `${backend}-runbook-late-gap`);
        await hand.goTo('Events');
        await region('Active and scheduled')
          .getByText(/^\s*[\d,]+ reads held back$/)
          .waitFor();
      },

      'Late data: the estimates': async (hand) => {
        await hand.goTo('Automatic');
        const validation = region('Validation');
        await hand.press('Estimate the gaps', validation);
        await noticed(/^The last 24 hours are validated: \d+ gaps estimated/);
        await counted(figure('Estimated').filter({ hasText: /^Estimated\d{3}/ })).toBe(1);
        await expect.poll(async () => (await completeness())[0], { timeout: 60_000 }).toBeGreaterThan(97);
        await picture(page, `${backend}-runbook-late-estimates`);
        await hand.goTo('Overview');
      },

      'Late data: the reads': async (hand) => {
        await hand.goTo('Events');
        // The theft of the two-minute demo may be under way as well.
        await hand.endOne(region('Active and scheduled').getByRole('row').filter({ hasText: 'FEEDER_3' }));
        await region('Past')
          .getByText(/^\s*[\d,]+ arrived late$/)
          .waitFor({ timeout: 120_000 });
        await hand.goTo('Automatic');
        await counted(figure('Estimated').filter({ hasText: /^Estimated0/ })).toBe(1);
        await counted(figure('Given way').filter({ hasText: /^Given way\d{3}/ })).toBe(1);
        expect((await completeness())[0]).toBe(100);
        await picture(page, `${backend}-runbook-late-reads`);
      },
    };

    // Once: a step that is done again finds what it has done.
    it.each(Object.entries(STEPS))('%s', { retry: 0 }, async (title, step) => {
      const hand = handOn(page, title);
      await step(hand);
      expect(hand.used, title).toEqual(controlsOf(title));
    });

    it('has every step of the ten minutes', () => {
      const steps = [...RUNBOOK.matchAll(/^### (Step \d: .+)$/gm)].map((match) => match[1]);
      expect(Object.keys(STEPS)).toEqual(expect.arrayContaining(steps));
    });
  });
});
