import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longestFirst.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TESTS = readdirSync(new URL('../test/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts'))
  .toSorted();

/** Decisions, arithmetic and shapes: no database, no queue, no process of ours. In seconds. */
const UNIT = [
  'test/board/shownData.test.ts',
  'test/campaign/modelState.test.ts',
  'test/columnFiles/',
  'test/contracts/',
  'test/emulator/',
  'test/db/deploymentIdentity.test.ts',
  'test/imports/mappingText.test.ts',
  'test/imports/packedFile.test.ts',
  'test/imports/plan.test.ts',
  'test/intervalFiles/',
  'test/datasets/meterDays.test.ts',
  'test/db/locks.test.ts',
  'test/timing/joinedRuns.test.ts',
  'test/timing/slices.test.ts',
  'test/db/shownReason.test.ts',
  'test/topologies/databaseUrl.test.ts',
  'test/pacing/batchSlots.test.ts',
  'test/page/core/',
  'test/process/config.test.ts',
  'test/process/keysAndSecrets.test.ts',
  'test/publishing/plan.test.ts',
  'test/publishing/registryPlan.test.ts',
  'test/queues/closedClients.test.ts',
  'test/queues/redisUrl.test.ts',
  'test/queues/serverFit.test.ts',
  'test/queues/thinnedErrors.test.ts',
  'test/reads/zoneSpans.test.ts',
  'test/reference/document.test.ts',
  'test/rooms/',
  'test/scenarios/readScenario.test.ts',
  'test/schema/kpiViewColumns.test.ts',
  'test/docs/schemaMapping.test.ts',
  'test/docs/citations.test.ts',
  'test/docs/api.test.ts',
  'test/docs/housePicture.test.ts',
  'test/vee/estimate.test.ts',
  'test/vee/mergedFindings.test.ts',
  'test/vee/misfires.test.ts',
  'test/vee/rules.test.ts',
  'test/writing/adaptiveConcurrency.test.ts',
  'test/writing/ownFaults.test.ts',
  'test/writing/runEach.test.ts',
  'test/writing/sampledDepth.test.ts',
  'test/writing/snapshotMeters.test.ts',
];
/** The whole way once, for `npm run test:quick`. */
const SMOKE = ['test/publishing/onePublish.test.ts'];
/** Pure as well, and long: days of eighty tenants, a year of a fleet. */
const MODELS = ['test/simulation/fairness.test.ts', 'test/realism/'];
/**
 * What surrounds the product in the field: other servers than one Postgres and one Redis, a browser, and the campaign's
 * short forms. `npm test` leaves them out, `npm run test:all` and CI do not.
 */
const SURROUNDINGS = [
  'test/board/boardOnCluster.test.ts',
  'test/board/boardPage.test.ts',
  'test/campaign/',
  'test/metrics/scrapes.test.ts',
  'test/page/dashboard.test.ts',
  'test/page/docs.test.ts',
  'test/page/pilotDemo.test.ts',
  'test/queues/redisRefusals.test.ts',
  'test/queues/redisStart.test.ts',
  'test/queues/redisTopologies.test.ts',
  'test/topologies/',
];
/** Weeks and months of fleets with equipment, in Postgres: minutes of a core. `npm test` leaves them out as well. */
const LONG = ['test/score/differingHomes.test.ts'];
/** Real processes of the product, its commands and its local stack. */
const PROCESSES = ['test/local/', 'test/commands/', 'test/docs/', 'test/faults/', 'test/process/'];

const isIn = (places: string[], file: string): boolean => places.some((place) => file.startsWith(place));
const onBothBackends = (file: string): boolean =>
  readFileSync(new URL(`../${file}`, import.meta.url), 'utf8').includes('describeOnBothBackends(');

/** Each file belongs to the first project that takes it, and a file that no list names to `database`: none is lost. */
function projectOf(file: string): string {
  if (isIn(UNIT, file)) return 'unit';
  if (isIn(SMOKE, file)) return 'smoke';
  if (isIn(MODELS, file)) return 'models';
  if (isIn(LONG, file)) return 'extra-long';
  if (isIn(SURROUNDINGS, file)) return onBothBackends(file) ? 'queue extra' : 'extra';
  if (onBothBackends(file)) return 'queue';
  return isIn(PROCESSES, file) ? 'processes' : 'database';
}

const filesOf = (project: string): string[] => TESTS.filter((file) => projectOf(file) === project);

/** Real Postgres, real Redis: started once for a run, and only where a project that needs them has a file in it. */
const servers = { globalSetup: ['test/support/globalSetup.ts'], setupFiles: ['test/support/eachFile.ts'] };
const limits = {
  // Real processes and a 10 s read limit: a test that waits for 25,000 reads needs more than the usual 5 s.
  // A limit only ends a test that would never end: simulation/month takes 62 s alone, and longer beside two others.
  testTimeout: 300_000,
  hookTimeout: 120_000,
};

/** How a worker process goes through its files: a module that many of them import is run once in it. */
const oneProcess = { isolate: false };
type Backend = 'postgres' | 'redis';

/** The files of a kind with servers; those of both queue backends as one project for each, so that neither half waits. */
function withServers(name: string, kind: string, backend?: Backend) {
  const env = backend === undefined ? {} : { env: { TEST_QUEUE: backend } };
  // Files of servers that are killed and moved begin with nothing of the one before: they wait more than they import.
  const sharing = name.startsWith('extra') ? {} : oneProcess;
  return { root: ROOT, test: { ...limits, ...servers, ...sharing, ...env, name, include: filesOf(kind) } };
}

export default defineConfig({
  root: ROOT,
  test: {
    reporters: ['default', './test/support/closingLine.ts'],
    // They often wait, for boundaries, paces and processes. CI has two cores and three; `npm test` asks for five.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Each project would transform all of src/ for itself, a third of what the main process does. By content, in node_modules.
    experimental: { fsModuleCache: true },
    projects: [
      { root: ROOT, test: { ...limits, ...oneProcess, name: 'unit', include: filesOf('unit') } },
      withServers('smoke', 'smoke'),
      // A year of a fleet is pure arithmetic, 40 s on a core of its own.
      { root: ROOT, test: { ...limits, name: 'models', include: filesOf('models') } },
      withServers('extra-long', 'extra-long'),
      withServers('database', 'database'),
      withServers('processes', 'processes'),
      withServers('postgres', 'queue', 'postgres'),
      withServers('redis', 'queue', 'redis'),
      withServers('extra', 'extra'),
      withServers('extra-postgres', 'queue extra', 'postgres'),
      withServers('extra-redis', 'queue extra', 'redis'),
    ],
  },
});
