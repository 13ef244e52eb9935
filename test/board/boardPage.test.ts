import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUEUE_NAMES } from '../../src/queues/queueConnections.js';
import { hasBrowser, picture, type Visit, visit } from '../page/browser.js';
import { describeOnBothBackends } from '../support/backends.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';

const KEY = { httpCredentials: { username: 'anybody', password: API_KEY } };

describeOnBothBackends('the page of the board', (backend) => {
  describe.skipIf(!hasBrowser)('in a browser', () => {
    let deployment: Deployment;
    let seen: Visit;
    let publishId: string;
    beforeAll(async () => {
      deployment = await createDeployment(backend);
      const answer = await deployment.post('/api/ami/publish-once', {
        ...{ tenantId: 'T', meterCount: 100, batchSize: 10 },
      });
      publishId = answer.body.publishId;
      seen = await visit(deployment.app);
    });
    afterAll(async () => {
      await seen?.close();
      await deployment?.close();
    });

    it('is reached from the dashboard, and shows the queues', async () => {
      const page = await seen.open('/?tenant=T', KEY);
      await page.getByRole('link', { name: 'Queues' }).click();
      for (const name of Object.values(QUEUE_NAMES))
        await page.getByText(name, { exact: true }).first().waitFor();
      await picture(page, `${backend}-queues`);
      await page.context().close();
    });

    it('shows a queue, a job of it and its data, and has nothing that would change them', async () => {
      const page = await seen.open(`/queues/queue/${QUEUE_NAMES.live}`, KEY);
      await page.getByText(`${publishId}_0`).first().waitFor();
      await picture(page, `${backend}-queues-live`);
      expect(
        await page.getByRole('button', { name: /pause|empty|obliterate|retry|clean|add job/i }).count(),
      ).toBe(0);
      await page.goto(`${seen.origin}/queues/queue/${QUEUE_NAMES.live}/${publishId}_0`);
      await page.getByText('publishId').first().waitFor();
      await picture(page, `${backend}-queues-job`);
      await page.context().close();
    });

    it('shows the schedulers', async () => {
      const page = await seen.open('/queues/job-schedulers', KEY);
      await page.getByRole('heading').first().waitFor();
      await picture(page, `${backend}-queues-schedulers`);
      await page.context().close();
    });

    it('has asked no other host for anything, and kept to the security policy', () => {
      expect(seen.elsewhere).toEqual([]);
      expect(seen.complaints).toEqual([]);
    });
  });
});
