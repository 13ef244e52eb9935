import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  applyScenario,
  planApplying,
  removeScenario,
  type ScenarioApi,
} from '../../src/scenarios/applying.js';
import { readScenario } from '../../src/scenarios/readScenario.js';
import { describeOnBothBackends } from '../support/backends.js';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';

const THEFT =
  '{ type: theft, feeders: [FEEDER_1, FEEDER_2], form: window, severity: 0.25, meterFraction: 0.1, day: 0, durationMinutes: 600 }';
const text = (...events: string[]): string =>
  `scenario: A test\ntenantId: SCENE\nseed: 3\nmeterCount: 40\nfeederCount: 10\nspan: { from: 2026-03-27, days: 4 }\nevents: [${events.join(', ')}]`;
const first = text(
  THEFT,
  '{ type: comms-outage, feeders: [FEEDER_3], delivery: late, severity: 1, day: 3, durationMinutes: 60 }',
);

describeOnBothBackends('a scenario in a running deployment', (backend) => {
  let deployment: Deployment;
  let api: ScenarioApi;
  let posts = 0;
  beforeAll(async () => {
    deployment = await createDeployment(backend);
    api = {
      get: async <T>(path: string) => (await deployment.http.get(`/api/ami${path}`).set(BEARER)).body as T,
      post: async <T>(path: string, body: object = {}) => {
        posts += 1;
        const answer = await deployment.post(`/api/ami${path}`, body);
        expect(answer.body, path).toMatchObject({ ok: true });
        return answer.body as T;
      },
    };
  });
  afterAll(() => deployment.close());

  it('is applied once, however often it is asked for', async () => {
    expect((await planApplying(api, readScenario(first, 'file'))).post).toHaveLength(3);
    const applied = await applyScenario(api, readScenario(first, 'file'));
    expect(applied).toMatchObject({ automatic: 'start', there: 0, stop: [] });
    const before = posts;
    expect(await applyScenario(api, readScenario(first, 'file'))).toMatchObject({
      ...{ automatic: 'same', there: 3, stop: [], post: [] },
    });
    expect(posts).toBe(before);
  });

  it('is changed by what has changed in its file, and taken away', async () => {
    const changed = readScenario(
      text(THEFT, '{ type: comms-outage, feeders: [FEEDER_3], severity: 1, day: 3, durationMinutes: 60 }'),
      'file',
    );
    const plan = await applyScenario(api, changed);
    expect(plan).toMatchObject({ there: 2, automatic: 'same' });
    expect(plan.post.map(({ delivery }) => delivery)).toEqual(['lost']);
    expect(plan.stop.map(({ delivery }) => delivery)).toEqual(['late']);
    expect(await planApplying(api, changed)).toMatchObject({
      there: 3,
      post: [],
      stop: [],
      automatic: 'same',
    });

    const faster = readScenario(`${first}\nspeed: 120`, 'file');
    expect(await planApplying(api, faster)).toMatchObject({ automatic: 'change' });

    expect(await removeScenario(api, 'SCENE')).toMatchObject({ stopped: 3, wasRunning: true });
    expect(await removeScenario(api, 'SCENE')).toMatchObject({ stopped: 0, wasRunning: false });
    expect(await planApplying(api, changed)).toMatchObject({ automatic: 'start' });
  });
});
